"""`kehub erase`: preview, erase, certificate, without a running hub."""

from sync.service import records
from webui.cli.console import Console
from webui.cli.opening import Here, open_hub


def test_a_customer_is_erased_and_the_certificate_told(two):
    row = next(r for r in two.world("erp").all("customers") if r["name"] == "Marlund Foods")
    golden = records.search(open_hub(Here(Console()).settings), "customer", text="Marlund").rows[0]
    shown = two.json("erase", "preview", golden.id)
    assert {one["system"]: one["action"] for one in shown["records"]} == {
        "erp": "delete", "crm": "delete",
    }  # fmt: skip
    assert row["id"] in {one["remote_id"] for one in shown["records"]}
    certificate = two.json("erase", "person", golden.id, "--yes", "--reference", "letter 9")
    assert certificate["reference"] == "letter 9"
    assert {one["outcome"] for one in certificate["systems"]} == {"deleted"}
    names = {r["name"] for name in ("erp", "crm") for r in two.world(name).all("customers")}
    assert "Marlund Foods" not in names
    (listed,) = two.json("erase", "list")
    assert (listed["state"], listed["id"]) == ("done", certificate["request"])
    assert "Done everywhere." in two("erase", "show", certificate["request"]).stdout
