"""A record that makes the code itself fail stands at the head of the queue."""

from dataclasses import replace

import pytest

from mapping.transforms import registry
from mapping.transforms.registry import NoOptions, transform, two_way
from sync.flow import decide
from sync.store.tables import DeadLetter, Dirty, Inbox

TRIES = 3
NAMES = [f"{chr(0x4E00 + 91 * number)}科技{number}" for number in range(5)]
RULE = "{canonical: notes, native: Description, in: [trim]"


def _explode(word):
    def step(value):
        return value if word not in value else value[: 1 // 0]

    return step


@pytest.fixture
def poisoned(outside):
    """Zoho's notes go through a step with a bug: it fails on BOOM in, on BANG out."""
    transform("fragile", NoOptions, chinese="易碎")(
        lambda _options: two_way(_explode("BOOM"), _explode("BANG"))
    )
    outside.remap("zoho", "Accounts", f"{RULE}, out: [{{cut: 32000}}]}}",
                  "{canonical: notes, native: Description, in: [fragile]}")  # fmt: skip
    settings = outside.hub.settings.model_copy(update={"attempts": TRIES, "batch": 2})
    yield replace(outside, hub=replace(outside.hub, settings=settings))
    registry._TRANSFORMS.pop("fragile")


def rounds(hub, count):
    for _ in range(count):
        hub.poll()
        hub.work()
        hub.hurry()


def test_one_that_cannot_be_read_is_parked_and_its_neighbours_pass(poisoned):
    accounts = [{"Account_Name": name, "Description": "quiet"} for name in NAMES]
    accounts[0]["Description"] = "BOOM"
    ids = poisoned.zoho.seed("Accounts", accounts)
    poisoned.poll("zoho")
    poisoned.take_in("zoho")
    names = {golden.name for golden in poisoned.goldens()}
    assert names == set(NAMES[1:])  # at once, not after the last try
    rounds(poisoned, TRIES + 1)
    (letter,) = poisoned.rows(DeadLetter)
    assert (letter.kind, letter.remote_id, letter.attempts) == ("bug", ids[0], TRIES)
    assert "in step" in letter.traceback
    assert "ZeroDivisionError" in letter.traceback.splitlines()[-1]
    assert not poisoned.rows(Inbox, Inbox.state == "waiting")
    poisoned.zoho.edit("Accounts", ids[3], Description="the lane is open")
    rounds(poisoned, 1)
    assert "the lane is open" in [row.get("remark") for row in poisoned.living()]
    poisoned.zoho.edit("Accounts", ids[0], Description="harmless now")
    rounds(poisoned, 1)
    assert NAMES[0] in {row["name"] for row in poisoned.living()}
    assert [letter.state for letter in poisoned.rows(DeadLetter)] == ["retried"]


def test_one_that_cannot_be_written_is_parked_and_its_neighbours_pass(poisoned):
    for number, name in enumerate(NAMES):
        notes = "BANG" if number == 0 else "quiet"
        poisoned.erp.create("customers", name=name, notes=notes)
    rounds(poisoned, 1)
    assert len(poisoned.accounts()) == 4
    assert len(poisoned.living()) == 5  # the other system is not concerned
    rounds(poisoned, TRIES)
    (letter,) = poisoned.rows(DeadLetter)
    assert (letter.kind, letter.direction, letter.attempts) == ("bug", "out", TRIES)
    assert "ZeroDivisionError" in letter.traceback
    assert poisoned.rows(Dirty) == []
    (customer,) = [row for row in poisoned.erp.all("customers") if row["notes"] == "BANG"]
    poisoned.erp.edit("customers", customer["id"], notes="harmless now")
    rounds(poisoned, 2)
    assert len(poisoned.accounts()) == 5
    assert [letter.state for letter in poisoned.rows(DeadLetter)] == ["retried"]


def test_a_parked_record_can_be_tried_again_by_a_person(poisoned):
    poisoned.zoho.seed("Accounts", [{"Account_Name": "Number 0", "Description": "BOOM"}])
    rounds(poisoned, TRIES + 1)
    (letter,) = poisoned.rows(DeadLetter)
    decide.retry_letters(poisoned.hub, [letter.id], "li")
    rounds(poisoned, TRIES + 1)
    states = [letter.state for letter in poisoned.rows(DeadLetter)]
    assert states == ["retried", "open"]  # nothing was mended: a letter anew, not an endless loop
