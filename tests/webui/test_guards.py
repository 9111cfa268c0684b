"""Each kind of guard, drift cards among them, offers its decision with what it means."""

import pytest

from sync.store.tables import Guard

FACTS = {
    "deletes": {"deletes": 41, "linked": 60},
    "delete": {},
    "changes": {"path": "notes", "records": 40, "linked": 60},
    "flipflop": {
        "path": "phones[work]",
        "flips": 6,
        "link": 1,
        "forms": {"crm": "<i>021</i>", "hub": "+8621"},
    },
    "drift": {
        "object": "customers",
        "problems": [{"kind": "missing", "field": "notes", "label": "Remarks", "paths": ["notes"]}],
    },
}


@pytest.fixture
def guarded(fresh):
    """Makes a guard of a kind in the CRM."""

    def make(kind):
        with fresh.hub.database.write() as tx:
            guard = Guard(
                system_id=fresh.id_of("crm"),
                kind=kind,
                direction="out" if kind in {"drift", "flipflop"} else "in",
                reason="crm has changed customers.",
                facts=FACTS[kind],
                created_at=fresh.hub.now(),
            )
            tx.add(guard)
            tx.flush()
            return guard.id

    return make


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", FACTS)
def test_each_kind_says_what_its_decisions_mean(guarded, browse, kind, language):
    from webui.guard_words import ALLOW, REFUSE  # noqa: PLC0415

    number = guarded(kind)
    text = browse("steward", language).text("/guards")
    assert f"/guards/{number}/decide" in text
    assert ALLOW[kind][language == "zh"] in text
    assert REFUSE[kind][language == "zh"] in text
    assert "A steward decides this." in browse("viewer").text("/guards")


def test_a_quarantined_field_shows_both_forms_as_text(guarded, browse):
    guarded("flipflop")
    text = browse("viewer").text("/guards")
    assert "&lt;i&gt;021&lt;/i&gt;" in text
    assert "+8621" in text


def test_a_drift_card_leads_to_the_mapping_that_is_to_be_mended(guarded, browse):
    guarded("drift")
    assert "/mappings/new?of=" in browse("admin").text("/guards")
    viewer = browse("viewer").text("/guards")
    assert "/mappings/new?of=" not in viewer
    assert "To the mapping of customers" in viewer


def test_a_mended_card_is_listed_as_such(guarded, browse, fresh):
    number = guarded("drift")
    with fresh.hub.database.write() as tx:
        tx.get_one(Guard, number).state = "mended"
    assert "Changed fields" in browse("viewer").text("/guards?state=mended")
    assert "已修复" in browse("viewer", "zh").text("/guards")


@pytest.mark.parametrize(("choice", "state"), [("allow", "allowed"), ("refuse", "refused")])
@pytest.mark.parametrize("kind", ["deletes", "changes", "drift", "flipflop"])
def test_the_decision_is_taken(guarded, browse, fresh, kind, choice, state):
    number = guarded(kind)
    browse("steward").post(f"/guards/{number}/decide", choice=choice)
    with fresh.hub.database.read() as session:
        assert session.get_one(Guard, number).state == state


def test_an_outdated_question_is_told_as_such(guarded, browse, fresh):
    number = guarded("delete")
    steward = browse("steward", "zh")
    steward.post(f"/guards/{number}/decide", choice="allow")
    with fresh.hub.database.read() as session:
        assert session.get_one(Guard, number).state == "outdated"
    assert "该问题已失效" in steward.text("/guards?state=outdated")
