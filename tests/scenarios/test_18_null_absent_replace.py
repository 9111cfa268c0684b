def test_smoke(outside):
    outside.erp.create("customers", name="Acme Trading", email="office@acme.example",
        phone="021-55550101", tags=["a", "b"], billing_country="US", billing_city="Chicago", billing_region="US-IL", billing_street="1 Main St")
    outside.sync()
    print(outside.accounts())
    print(outside.living())
    print(outside.what_waits())
    from sync.store.tables import DeadLetter
    print([x.message for x in outside.rows(DeadLetter)])
    assert 0
