"""Two customers were merged, the merge went out to every system; then it turns out wrong."""

import pytest

from sync.flow import split, unify
from sync.store.tables import Change

PUMPS = {
    "name": "Hanyang Pump Works", "email": "office@hanyang.example", "phone": "021-55550101",
    "notes": "makes pumps", "tags": ["pumps"],
}  # fmt: skip
FOODS = {
    "name": "Delta Harbour Foods", "email": "info@delta.example", "website": "delta.example",
    "notes": "cans fish", "tags": ["food"],
}  # fmt: skip


@pytest.fixture
def pair(outside):
    """Two customers with a person each, the same in all three systems."""
    for values, person in ((PUMPS, "Wang Wei"), (FOODS, "Li Na")):
        outside.erp.create("customers", **values)
        customer = outside.erp.all("customers")[-1]
        mail = f"{person.split()[0].lower()}@{values['email'].split('@')[1]}"
        outside.erp.create("contacts", name=person, email=mail, customer_id=customer["id"])
    outside.sync()
    ids = {golden.name: golden.id for golden in outside.goldens()}
    return outside, ids[PUMPS["name"]], ids[FOODS["name"]]


def shown(outside):
    """Every customer with its facts and its people, as each system shows them."""
    erp = {
        row["id"]: (row["name"], row["email"], row["website"] or None, row["notes"])
        for row in outside.erp.all("customers")
    }
    zoho = {
        row["id"]: (row["Account_Name"], row["Email"], row.get("Website"), row.get("Description"))
        for row in outside.accounts()
    }
    fx = {
        row["_id"]: (row["name"], row["email"], row.get("url"), row.get("remark"))
        for row in outside.living()
    }
    people = (
        [(r["name"], erp[r["customer_id"]][0]) for r in outside.erp.all("contacts")],
        [
            (" ".join(filter(None, (r.get("First_Name"), r["Last_Name"]))),
             zoho[str(r["Account_Name"])][0])
            for r in outside.accounts("Contacts")
        ],
        [(r["name"], fx[r["account_id"]][0]) for r in outside.living("ContactObj")],
    )  # fmt: skip
    facts = (sorted(erp.values()), sorted(zoho.values()), sorted(fx.values()))
    return facts, tuple(sorted(each) for each in people)


def test_the_merge_went_out_and_comes_apart_again_everywhere(pair):
    outside, pumps, foods = pair
    before = shown(outside)
    assert before[0][0] == before[0][1] == before[0][2]
    merge_id = unify.merge(outside.hub, pumps, foods, "li")
    outside.sync()
    (survivor,) = outside.erp.all("customers")
    assert {row["customer_id"] for row in outside.erp.all("contacts")} == {survivor["id"]}
    assert len(outside.goldens()) == 1
    split.unmerge(outside.hub, merge_id, "li")
    outside.sync()
    assert shown(outside) == before
    assert {golden.id for golden in outside.goldens()} == {pumps, foods}
    written = len(outside.rows(Change, Change.op == "written"))
    outside.sync()
    assert len(outside.rows(Change, Change.op == "written")) == written  # and then silence


def test_what_was_typed_after_the_merge_stays_with_whom_it_was_typed_for(pair):
    outside, pumps, foods = pair
    merge_id = unify.merge(outside.hub, pumps, foods, "li", {"name": "winner"})
    outside.sync()
    (survivor,) = outside.erp.all("customers")
    outside.erp.edit("customers", survivor["id"], industry="pumps and fish")
    outside.erp.create("contacts", name="Zhao Min", email="zhao@hanyang.example",
                       customer_id=survivor["id"])  # fmt: skip
    outside.sync()
    split.unmerge(outside.hub, merge_id, "li")
    outside.sync()
    facts, people = shown(outside)
    assert facts[0] == facts[1] == facts[2]
    assert people[0] == people[1] == people[2]
    assert ("Zhao Min", PUMPS["name"]) in people[0]
    held = {row["name"]: row["industry"] for row in outside.erp.all("customers")}
    assert held[PUMPS["name"]] == "pumps and fish"
    assert held[FOODS["name"]] in {None, ""}
    assert len(outside.goldens()) == 2
