"""How a customer's page marks what a system holds: the same, in its own form, or differing."""

from sqlalchemy import update

from sync.service import records
from sync.store.tables import Golden, Link


def marks(fixture, path):
    record = records.get_record(fixture.hub, fixture.goldens()[0].id)
    row = next(each for each in record.fields if each.path == path)
    return {name: value.state for name, value in row.systems.items()}


def held(fixture, **values):
    """The CRM's record as it was seen last holds these, too."""
    link = next(each for each in fixture.links() if each.system_id == fixture.id_of("crm"))
    with fixture.hub.database.write() as tx:
        tx.execute(update(Link).where(Link.id == link.id).values(shadow={**link.shadow, **values}))


def test_what_a_system_filled_in_by_itself_is_no_difference(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    assert "language" not in fixture.goldens()[0].values
    held(fixture, language="zh-CN")
    assert marks(fixture, "language")["crm"] == "short"


def test_what_somebody_emptied_elsewhere_and_stands_here_differs(fixture):
    fixture.world("erp").create("customers", name="Acme", notes="typed")
    fixture.sync()
    golden = fixture.goldens()[0]
    with fixture.hub.database.write() as tx:
        emptied = {**golden.values, "notes": None}
        tx.execute(update(Golden).where(Golden.id == golden.id).values({"values": emptied}))
    assert set(marks(fixture, "notes").values()) == {"differs"}
