"""Decisions sharpen the weights, and a refit that is worse is not taken."""

import random
from dataclasses import replace

import pytest

from sync.core.sharpen import LEAST, Decided, kind_of, levels_of, sharpen

SAME_ROOM = ("address", "same room, held by few others")
BASE = (
    ("starting point", "5000 records"),
    ("brand", "same, held by few others"),
    ("industry", "same"),
)
AT = 5.0


def decisions(rule, count=120, seed=1):
    """Pairs with random evidence, decided by a rule of the house."""
    pick, made = random.Random(seed), []
    for pair in range(count):
        phone = pick.choice(["same, held by them alone", "different"])
        place = pick.choice([SAME_ROOM, ("address", "different")])
        evidence = (*BASE, ("phone", phone), place, ("caution", "two mobiles"))
        made.append(Decided(pair, evidence, rule(phone, place, pick)))
    return made


def by_address(_phone, place, _pick):
    """Here an address says everything, and phones belong to agencies."""
    return place == SAME_ROOM


def test_decisions_move_the_weights_that_they_speak_about(matcher):
    found = sharpen(matcher.model, decisions(by_address), AT, "1+1")
    verdict = found.verdicts[0]
    assert (verdict.kind, verdict.taken, verdict.reason) == ("company", True, "better")
    assert verdict.after < verdict.before
    before, after = (model.kinds["company"] for model in (matcher.model, found.model))
    column = before.position("address")
    rooms = before.fields[column].levels.index(SAME_ROOM[1])
    apart = before.fields[column].levels.index("different")
    assert after.weights[column][rooms] - after.weights[column][apart] > (
        before.weights[column][rooms] - before.weights[column][apart]
    )
    assert found.model.kinds["person"] is matcher.model.kinds["person"]
    assert found.model.version == "1+1"


def test_the_same_decisions_in_any_order_give_the_same_weights(matcher):
    made = decisions(by_address)
    one, two = (sharpen(matcher.model, d, AT, "x") for d in (made, made[::-1]))
    assert one.verdicts == two.verdicts
    assert one.model.to_dict() == two.model.to_dict()


def test_few_or_one_sided_decisions_teach_nothing(matcher):
    few = sharpen(matcher.model, decisions(by_address, LEAST - 1), AT, "x")
    alike = sharpen(matcher.model, decisions(lambda *_: True), AT, "x")
    assert [v.reason for v in few.verdicts] == ["few"]
    assert [v.reason for v in alike.verdicts] == ["one_sided"]
    assert not few.changed
    assert few.model.to_dict()["kinds"] == matcher.model.to_dict()["kinds"]


def test_what_is_worse_is_not_taken(matcher, monkeypatch):
    losses = [1.0, 1.5]
    monkeypatch.setattr("sync.core.sharpen._surprise", lambda *_: losses.pop(0))
    found = sharpen(matcher.model, decisions(by_address), AT, "x")
    assert [(v.reason, v.taken) for v in found.verdicts] == [("worse", False)]
    assert found.model.kinds["company"] is matcher.model.kinds["company"]


def test_decisions_by_chance_leave_no_trust_in_any_address(matcher):
    """On average: a single run of coin tosses may happen to agree with the addresses."""
    gaps = []
    for seed in range(8):
        pick = random.Random(seed)
        found = sharpen(matcher.model, decisions(lambda *_, p=pick: p.random() < 0.5), AT, "x")
        gaps.append(trust_in_addresses(found.model.kinds["company"]))
    assert abs(sum(gaps) / len(gaps)) < abs(trust_in_addresses(matcher.model.kinds["company"]))


def trust_in_addresses(kind):
    column = kind.position("address")
    room, apart = (
        kind.weights[column][kind.fields[column].levels.index(text)]
        for text in (SAME_ROOM[1], "different")
    )
    return room - apart


def test_a_refit_with_weights_for_fields_read_together_does_not_overshoot(matcher):
    """Full Newton steps left the answers worth a dozen bits of surprise each."""
    pick = random.Random(0)
    found = sharpen(matcher.model, decisions(lambda *_: pick.random() < 0.5), AT, "x")
    assert found.verdicts[0].after < found.verdicts[0].before


def test_levels_of_fields_read_together_follow_from_those_that_were_shown(matcher):
    model = matcher.model.kinds["company"]
    shown = (*BASE, SAME_ROOM, ("phone", "different"))
    row = levels_of(Decided(1, shown, True), model)
    column = model.position("name and contact together")
    text = model.fields[column].levels[row[column]]
    assert text == "same brand, region and form open; room"


def test_a_refit_that_links_what_a_person_called_different_is_refused(matcher, monkeypatch):
    def fitted(model, *_):
        return replace(model, bias=model.bias + 40.0)

    losses = [2.0, 1.0]
    monkeypatch.setattr("sync.core.sharpen._surprise", lambda *_: losses.pop(0))
    monkeypatch.setattr("sync.core.sharpen._fitted", fitted)
    found = sharpen(matcher.model, decisions(by_address), AT, "x")
    assert [v.reason for v in found.verdicts] == ["more_wrong_links"]
    assert not found.changed


def test_evidence_of_an_older_model_is_read_as_far_as_it_is_known(matcher):
    old = Decided(1, (*BASE, ("phone", "same mobile, held by them alone"), ("gone", "x")), True)
    row = levels_of(old, matcher.model.kinds["company"])
    names = [f.name for f in matcher.model.kinds["company"].fields]
    assert row[names.index("brand")] > 0
    assert row[names.index("phone")] == 0


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (BASE, "company"),
        ((("starting point", "9 records"), ("name", "different")), "person"),
        ((("mail", "same"),), ""),
    ],
)
def test_the_kind_is_read_from_the_evidence(evidence, kind):
    assert kind_of(Decided(1, evidence, True)) == kind
