"""The hub's database is yesterday's again; everything else has moved on."""

from sqlalchemy import select

from sync.flow import decide, erase, unify
from sync.service import backups, plans
from sync.store.tables import ErasureStep, Golden, Link, System
from tests.flow.test_backup import hub as with_tools  # noqa: F401  a fixture
from tests.scenarios.story import records, remote_writes, rows

FIELDS = ("name", "notes", "phone", "email", "website")
MANY = 60


def name_of(number):
    return f"{chr(0x4E00 + 97 * number)}{chr(0x5100 + 61 * number)}科技"


def coded(fixture, name, code):
    return next(r["id"] for r in records(fixture, name) if r["code"] == code)


def picture(fixture):
    """Everything that users see, in every system, without ids of the hub."""
    return {
        name: sorted(str({field: r[field] for field in FIELDS}) for r in records(fixture, name))
        for name in fixture.names
    }


def yesterday(fixture):
    for number in range(MANY):
        fixture.world("erp").create(
            "customers", name=name_of(number), code=f"C{number}", notes="yesterday",
            email=f"c{number}@firm{number}.example",
        )  # fmt: skip
    fixture.sync()


def the_day_since(fixture):
    """Edits on every side and in the hub, new ones in three ways, deletes, a merge, an erasure."""
    erp, crm, sales = (fixture.world(name) for name in fixture.names)
    for number in range(20):
        world, name = ((erp, "erp"), (crm, "crm"), (sales, "sales"))[number % 3]
        world.edit("customers", coded(fixture, name, f"C{number}"), notes=f"today {number}")
    erp.create("customers", name="Zenith Optical", email="erp@new.example")
    crm.create("customers", name="Quarry Foods", phone="021-55550199", email="crm@new.example")
    sales.create("customers", name="Harbour Lights")
    crm.create("customers", name="Forgotten Works", email="forget@private.example")
    fixture.sync()
    by_code = {g.values.get("number"): g for g in fixture.goldens()}
    decide.edit(fixture.hub, by_code["C30"].id, {"phones[work]": "+8613800000000"}, "li")
    unify.merge(fixture.hub, by_code["C31"].id, by_code["C32"].id, "li")
    for name in fixture.names:
        for code in ("C40", "C41", "C42"):
            fixture.world(name).delete("customers", coded(fixture, name, code))
    fixture.sync()
    gone = next(g for g in fixture.goldens() if g.name == "Forgotten Works")
    late = next(g for g in fixture.goldens() if g.values.get("number") == "C50")
    for golden in (gone, late):  # one that the backup does not know, and one that it does
        erase.begin(fixture.hub, golden.id, actor="li")
    fixture.sync()


def restored(fixture, path):
    backups.restore(fixture.hub, path, actor="li")
    writes = remote_writes(fixture)
    for _ in range(2):  # compare-only: polls and workers do nothing
        fixture.poll()
        fixture.work()
        fixture.clock.pass_(60)
    plan = backups.compare_restore(fixture.hub)
    assert remote_writes(fixture) == writes
    return plan


def test_after_the_drill_everything_is_as_people_left_it(fixture, request):
    if not fixture.hub.database.is_sqlite:
        request.getfixturevalue("with_tools")
    yesterday(fixture)
    path = fixture.hub.settings.home / "yesterday.backup"
    backups.backup(fixture.hub, path)
    assert backups.verify(fixture.hub, path).differing == ()
    the_day_since(fixture)
    seen, goldens = picture(fixture), len(fixture.goldens())
    before = remote_writes(fixture)
    plan = restored(fixture, path)
    learned = plan.summary["relearned"]
    assert learned["crm"]["new"] == 3
    assert learned["crm"]["missing"] == 4  # three deletes, and the duplicate that was merged away
    assert learned["crm"]["changed"] >= 21
    assert all(found["objects"] == {} for found in plan.summary["writes"].values())
    backups.approve_restore(fixture.hub, plan.id, actor="li")
    for _ in range(2):
        fixture.clock.pass_(400)
        erase.resume_due(fixture.hub)
        fixture.sync()
    assert picture(fixture) == seen
    assert remote_writes(fixture) == before  # nothing had to be written, so nothing was
    with fixture.hub.database.read() as session:
        names = list(session.scalars(select(Golden.name).where(Golden.state == "live")))
        states = set(session.scalars(select(System.state)))
    assert states == {"live"}
    assert "Forgotten Works" not in names
    assert name_of(50) not in names
    assert {step.outcome for step in rows(fixture, ErasureStep)} == {"gone"}
    live = [x for x in fixture.links() if x.state == "live"]
    assert len({(x.system_id, x.remote_id) for x in live}) == len(live)
    # The merge of the day is not known any more: its loser stands beside the winner, unlinked.
    assert len(fixture.goldens()) - goldens in {0, 1}
    record = coded(fixture, "crm", "C3")
    fixture.world("crm").edit("customers", record, notes="goes everywhere again")
    fixture.sync()
    for name in fixture.names:
        assert [r["notes"] for r in records(fixture, name) if r["code"] == "C3"] == [
            "goes everywhere again"
        ]
    again = plans.make_plan(
        fixture.hub, plans.start_plan(fixture.hub, list(fixture.names), wake=False).id
    )
    assert all(found["objects"] == {} for found in again.summary["writes"].values())


def test_zoho_has_moved_on_and_nothing_is_doubled_or_brought_back(zoho, tmp_path):
    for number in range(12):
        zoho.erp.create("customers", name=name_of(number), email=f"c{number}@f{number}.example",
                        notes="yesterday")  # fmt: skip
    zoho.sync()
    path = tmp_path / "yesterday.backup"
    backups.backup(zoho.hub, path)
    by_name = {account["Account_Name"]: account["id"] for account in zoho.accounts()}
    zoho.stand_in.edit("Accounts", by_name[name_of(0)], Description="typed in Zoho since")
    erp = {r["name"]: r["id"] for r in zoho.erp.all("customers")}
    zoho.erp.edit("customers", erp[name_of(1)], notes="typed in the ERP since")
    zoho.stand_in.delete("Accounts", by_name[name_of(2)])
    zoho.erp.delete("customers", erp[name_of(2)])
    zoho.erp.create("customers", name="Zenith Optical", email="z@new.example")
    zoho.stand_in.seed("Accounts", [{"Account_Name": "Quarry Foods", "Phone": "021-55550199"}])
    zoho.sync(seconds=60)
    accounts = sorted(a["Account_Name"] for a in zoho.accounts())
    customers = sorted(r["name"] for r in zoho.erp.all("customers"))
    assert len(accounts) == len(customers) == 13
    backups.restore(zoho.hub, path, actor="li")
    plan = backups.compare_restore(zoho.hub)
    assert plan.summary["relearned"]["zoho"]["new"] == 2
    assert plan.summary["relearned"]["zoho"]["missing"] == 1
    backups.approve_restore(zoho.hub, plan.id, actor="li")
    zoho.sync(seconds=60)
    assert sorted(a["Account_Name"] for a in zoho.accounts()) == accounts
    assert sorted(r["name"] for r in zoho.erp.all("customers")) == customers
    notes = {r["name"]: r["notes"] for r in zoho.erp.all("customers")}
    assert notes[name_of(0)] == "typed in Zoho since"
    assert notes[name_of(1)] == "typed in the ERP since"
    with zoho.hub.database.read() as session:
        live = session.scalars(select(Link.remote_id).where(Link.state == "live")).all()
    assert len(live) == len(set(live))
