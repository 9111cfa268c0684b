"""Clocks that are off, seconds without fractions, zones, lagging copies, summer time, birthdays."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.store.tables import Change, Conflict, Link

ACME = {"name": "Acme Trading", "email": "office@acme.example", "tax_id": "91310000MA0000000Y"}
BIRTHDAYS = ["1988-07-01", "1990-01-31", "2000-02-29", "1969-12-31"]  # the first: China's summer


@pytest.fixture
def skewed(outside):
    """Zoho's clock is 90 s ahead, 纷享's 60 s behind; both have been written to once."""
    set_clocks(outside, zoho=90, fx=-60)
    outside.erp.create("customers", **ACME, notes="at first")
    outside.sync()
    yield outside
    outside.zoho.admin("POST", "/clock", {"shift": 0, "zone": "+08:00", "in_dates": False})


def set_clocks(outside, *, zoho, fx):
    outside.zoho.admin("POST", "/clock", {"shift": zoho, "in_dates": True})
    outside.fx.post("/clock", set_shift_ms=fx * 1000, in_dates=True)


def edit_everywhere(outside, **fields):
    """Users of Zoho and 纷享 edit a field each, in the words of the ERP."""
    if "zoho" in fields:
        outside.zoho.edit("Accounts", outside.accounts()[0]["id"], Description=fields["zoho"])
    if "fx" in fields:
        outside.edit_fx(outside.living()[0]["_id"], remark=fields["fx"])


def test_edits_of_one_second_around_a_poll_are_all_seen(skewed):
    for number in range(4):  # several edits per second, a poll between any two
        skewed.zoho.edit("Accounts", skewed.accounts()[0]["id"], Website=f"z{number}.example")
        edit_everywhere(skewed, fx=f"edit {number}")
        skewed.poll("zoho", "fx")
        skewed.take_in("zoho", "fx")
        (golden,) = skewed.goldens()
        assert golden.values["website"] == f"z{number}.example"
        assert golden.values["notes"] == f"edit {number}"
    seen = [change.new for change in skewed.rows(Change, Change.path == "notes")]
    assert seen == [f"edit {number}" for number in range(4)]  # each once


@pytest.mark.parametrize("winner", ["erp", "zoho", "fx"])
def test_the_later_edit_wins_whatever_the_clocks_say(skewed, winner):
    """Ahead or behind, a clock does not decide: its offset is known from the hub's own writes."""
    now = datetime.now(UTC)
    ages = {"erp": 10, "zoho": 10, "fx": 10, winner: 2}  # seconds since the edit, in truth
    (customer,) = skewed.erp.all("customers")
    skewed.erp.clock = lambda: now - timedelta(seconds=ages["erp"])
    skewed.erp.edit("customers", customer["id"], notes="erp")
    skewed.erp.clock = lambda: datetime.now(UTC)
    set_clocks(skewed, zoho=90 - ages["zoho"], fx=-60 - ages["fx"])
    edit_everywhere(skewed, zoho="zoho", fx="fx")
    set_clocks(skewed, zoho=90, fx=-60)
    skewed.sync()
    assert skewed.goldens()[0].values["notes"] == winner
    assert skewed.accounts()[0]["Description"] == winner
    assert skewed.living()[0]["remark"] == winner
    conflicts = skewed.rows(Conflict, Conflict.unit == "notes")
    assert conflicts
    assert {row.state for row in conflicts} == {"auto"}


def test_a_change_that_a_lagging_copy_shows_late_is_not_stepped_over(skewed):
    skewed.poll()  # now there is a place to go on from
    ids = skewed.zoho.seed("Accounts", [{"Account_Name": f"Late {n}"} for n in range(6)])
    skewed.fx.switch(list_lag_ms=5000)
    skewed.zoho.switch(list_lag=5)
    edit_everywhere(skewed, fx="behind in 纷享")
    try:
        for passed in range(7):  # some records show at once, others after the cursor
            set_clocks(skewed, zoho=90 + passed, fx=-60 + passed)
            skewed.poll("zoho", "fx")
        skewed.take_in("zoho", "fx")
    finally:
        skewed.fx.switch(list_lag_ms=0)
    names = {golden.name for golden in skewed.goldens()}
    assert {f"Late {n}" for n in range(len(ids))} <= names
    assert "behind in 纷享" in {golden.values.get("notes") for golden in skewed.goldens()}


def test_the_hour_that_comes_twice_hides_nothing(outside):
    """01:59:50 in New York, and 20 seconds later it is 01:00:10."""
    repeated = datetime(2026, 11, 1, 6, 0, tzinfo=UTC) - datetime.now(UTC)
    zoho = outside.zoho
    before = {"shift": repeated.total_seconds() - 10, "in_dates": True}
    zoho.admin("POST", "/clock", {**before, "zone": "America/New_York"})
    try:
        outside.erp.create("customers", **ACME)
        outside.sync()
        (account,) = outside.accounts()
        assert account["Modified_Time"].startswith("2026-11-01T01:59")
        zoho.admin("POST", "/clock", {"shift": repeated.total_seconds() + 10})
        zoho.edit("Accounts", account["id"], Description="in the second hour")
        assert outside.accounts()[0]["Modified_Time"].startswith("2026-11-01T01:00")
        outside.sync()
        assert outside.goldens()[0].values["notes"] == "in the second hour"
    finally:
        zoho.admin("POST", "/clock", {"shift": 0, "zone": "+08:00", "in_dates": False})


@pytest.fixture
def with_birthdays(zoho_process, outside, tmp_path):
    """纷享 keeps days as epoch milliseconds of a Beijing midnight; Zoho's user is in New York."""
    outside.fx.post("/fields/ContactObj", api_name="birthday__c", label="生日", type="date")
    name = "{canonical: language, native: language__c, in: [language]}"
    rule = (
        "{canonical: birth_date, native: birthday__c,"
        " in: [{date: {zone: Asia/Shanghai, style: epoch_ms}}]}"
    )
    outside.remap("fx", "ContactObj", name, f"{name}\n  - {rule}")
    zoho_process.admin("POST", "/clock", {"zone": "America/New_York"})
    yield outside
    zoho_process.admin("POST", "/clock", {"zone": "+08:00"})
    outside.fx.admin("DELETE", "/fields/ContactObj/birthday__c")


def test_birthdays_do_not_shift_a_day(with_birthdays):
    hub = with_birthdays
    hub.erp.create("customers", **ACME)
    (customer,) = hub.erp.all("customers")
    for number, day in enumerate(BIRTHDAYS):
        hub.erp.create(
            "contacts", customer_id=customer["id"], name=f"Person {number}", birth_date=day,
            email=f"p{number}@acme.example",
        )  # fmt: skip
    hub.sync()
    days = {row["Last_Name"]: row["Date_of_Birth"] for row in hub.accounts("Contacts")}
    assert sorted(days.values()) == sorted(BIRTHDAYS)
    for row in hub.living("ContactObj"):  # a user there saves each again, as shown
        hub.edit_fx(row["_id"], "ContactObj", birthday__c=row["birthday__c"], remark="seen")
    hub.sync()
    held = {contact["name"]: str(contact["birth_date"]) for contact in hub.erp.all("contacts")}
    assert held == {f"Person {number}": day for number, day in enumerate(BIRTHDAYS)}
    assert {contact["notes"] for contact in hub.erp.all("contacts")} == {"seen"}
    assert not hub.rows(Change, Change.path == "birth_date")


def test_one_moment_in_three_notations(skewed):
    """+08:00 with whole seconds, epoch milliseconds and UTC name one moment."""
    real = datetime.now(UTC)
    edit_everywhere(skewed, zoho="now", fx="now")
    skewed.erp.edit("customers", skewed.erp.all("customers")[0]["id"], notes="now")
    skewed.poll()
    skewed.take_in()
    names = {skewed.id_of(name): name for name in skewed.names}
    offsets = {name: skewed.system(name).clock_offset for name in skewed.names}
    for link in skewed.rows(Link):
        name = names[link.system_id]
        at = link.modified_at - timedelta(seconds=offsets[name])
        assert abs(at - real) < timedelta(seconds=5), name
