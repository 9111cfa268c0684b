"""Decisions sharpen the weights of the hub: nightly or at request, guarded, and reversibly."""

import random
from datetime import timedelta

import pytest

from sync.flow import sweep
from sync.flow import weights as flow
from sync.flow.match_file import load_matcher
from sync.service import weights
from sync.service.errors import NotFoundError
from sync.store.tables import Candidate, Golden

ROOM, OTHER_ROOM = "same room, held by few others", "different"


def decide(fixture, count=60, seed=1, who="steward"):
    """Pairs decided by the address alone, as a house whose phones belong to agencies would."""
    pick, now = random.Random(seed), fixture.clock()
    with fixture.hub.database.write() as tx:
        for number in range(count):
            ids = [f"{seed:03d}-{number:04d}-{side}" for side in "ab"]
            tx.add_all(
                Golden(id=i, entity="customer", values={}, created_at=now, updated_at=now)
                for i in ids
            )
            tx.flush()
            place = pick.choice([ROOM, OTHER_ROOM])
            phone = pick.choice(["same, held by them alone", "different"])
            shown = [["starting point", "5000 records", 1.0], ["industry", "same", -1.0],
                     ["brand", "same, held by few others", 0.5], ["phone", phone, 2.0],
                     ["address", place, 1.0]]  # fmt: skip
            tx.add(
                Candidate(
                    first_id=ids[0], second_id=ids[1], score=3.0, weights=shown,
                    state="merged" if place == ROOM else "different",
                    decided_by=who, decided_at=now, created_at=now,
                )
            )  # fmt: skip


def in_use(fixture):
    with fixture.hub.database.read() as session:
        return flow.in_use(session).model


def gap(model):
    kind = model.kinds["company"]
    column = kind.position("address")
    levels = kind.fields[column].levels
    return kind.weights[column][levels.index(ROOM)] - kind.weights[column][levels.index(OTHER_ROOM)]


def test_a_refit_is_used_from_then_on_and_can_be_taken_back(fixture):
    base = load_matcher().model
    assert in_use(fixture).version == base.version
    decide(fixture)
    line = weights.refit(fixture.hub)
    assert line.in_use
    assert line.version != base.version
    assert in_use(fixture).version == line.version
    assert gap(in_use(fixture)) > gap(base)

    weights.use(fixture.hub, 0)
    assert in_use(fixture).version == base.version
    assert gap(in_use(fixture)) == pytest.approx(gap(base))
    weights.use(fixture.hub, line.number)
    assert in_use(fixture).version == line.version
    with pytest.raises(NotFoundError):
        weights.use(fixture.hub, 99)


def test_a_refit_starts_from_the_shipped_weights_each_time(fixture):
    decide(fixture)
    first = weights.refit(fixture.hub)
    before = in_use(fixture).to_dict()["kinds"]
    second = weights.refit(fixture.hub)
    assert second.number == first.number + 1
    assert in_use(fixture).to_dict()["kinds"] == before
    assert [line.in_use for line in weights.list_weights(fixture.hub)] == [True, False, False]


def test_a_refit_that_teaches_nothing_leaves_the_weights(fixture):
    decide(fixture, count=5)
    line = weights.refit(fixture.hub)
    assert not line.in_use
    assert [kind.reason for kind in line.kinds] == ["few"]
    assert in_use(fixture).version == load_matcher().model.version


def test_open_pairs_and_those_that_nobody_decided_teach_nothing(fixture):
    decide(fixture, who="")
    assert weights.refit(fixture.hub).decisions == 0


def test_it_happens_by_itself_once_a_day_after_decisions(fixture):
    sweep.tidy(fixture.hub)
    assert in_use(fixture).version == load_matcher().model.version
    decide(fixture)
    sweep.tidy(fixture.hub)
    first = in_use(fixture).version
    assert first != load_matcher().model.version
    fixture.clock.pass_(timedelta(hours=1).total_seconds())
    decide(fixture, seed=2)
    sweep.tidy(fixture.hub)
    assert in_use(fixture).version == first
    fixture.clock.pass_(timedelta(hours=24).total_seconds())
    sweep.tidy(fixture.hub)
    assert in_use(fixture).version != first


def test_new_records_are_matched_by_the_weights_in_use(fixture, monkeypatch):
    seen = []
    real = flow.in_use

    def noted(session):
        seen.append(real(session).model.version)
        return real(session)

    decide(fixture)
    version = weights.refit(fixture.hub).version
    monkeypatch.setattr("sync.flow.weights.in_use", noted)
    fixture.world("crm").create("customers", name="Hanyang Pump Works", phone="021-55550101")
    fixture.sync()
    assert set(seen) == {version}
