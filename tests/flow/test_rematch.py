"""Matching the whole hub anew: keys are mended, questions asked once, decisions kept."""

from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, update

from sync.flow import rematch
from sync.flow.match import keys_of
from sync.store import candidates, goldens
from sync.store.session import Database
from sync.store.tables import Base, Candidate, Golden, MatchKey
from tests.hubs import Clock

CUSTOMERS = {
    "a": {"name": "上海华信科技有限公司", "phones[work]": "021-55550101", "kind": "company"},
    "b": {"name": "华信科技（上海）有限公司", "phones[work]": "+862155550101", "kind": "company"},
    "c": {"name": "Nordwind Logistik GmbH", "phones[work]": "+4930901820", "kind": "company"},
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def hub(request, tmp_path):
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.db'}" if sqlite else request.getfixturevalue("pg_hub_url")
    database, clock = Database(url), Clock()
    Base.metadata.create_all(database.engine)
    with database.write() as tx:
        for golden_id, values in CUSTOMERS.items():
            golden = Golden(id=golden_id, entity="customer", values=values, created_at=clock())
            goldens.describe(golden, clock())
            tx.add(golden)
        tx.flush()
        goldens.set_keys(tx, {i: keys_of("customer", v) for i, v in CUSTOMERS.items()}, ())
    yield SimpleNamespace(database=database, now=clock)
    database.engine.dispose()


def questions(hub):
    with hub.database.read() as session:
        return list(session.scalars(select(Candidate).order_by(Candidate.id)))


def test_two_that_belong_together_are_put_to_the_steward_with_their_waterfall(hub):
    found = rematch.run(hub)
    assert (found.customers, found.rekeyed, found.asked) == (3, 0, 1)
    (question,) = questions(hub)
    assert (question.first_id, question.second_id, question.state) == ("a", "b", "open")
    bits = sum(weight for _, _, weight in question.weights)
    assert bits == pytest.approx(question.score, abs=0.1)


def test_a_second_run_writes_nothing(hub):
    rematch.run(hub)
    again = rematch.run(hub)
    assert (again.rekeyed, again.asked, again.changed) == (0, 0, 0)
    assert len(questions(hub)) == 1


def test_what_was_told_apart_is_not_asked_again(hub):
    with hub.database.write() as tx:
        candidates.decide(tx, "a", "b", candidates.DIFFERENT, actor="steward", now=hub.now())
    assert rematch.run(hub).asked == 0
    (question,) = questions(hub)
    assert (question.state, question.score) == ("different", 0.0)


def test_an_open_question_gets_the_score_of_today(hub):
    rematch.run(hub)
    with hub.database.write() as tx:
        tx.execute(update(Candidate).values(score=1.0, weights=[]))
    assert rematch.run(hub).changed == 1
    (question,) = questions(hub)
    assert question.score > 1.0
    assert question.weights


def test_missing_and_wrong_keys_are_mended(hub):
    with hub.database.write() as tx:
        tx.execute(delete(MatchKey).where(MatchKey.golden_id == "a"))
        tx.add(MatchKey(key=1, golden_id="b", family="phone"))
    assert rematch.run(hub).rekeyed == 2
    with hub.database.read() as session:
        for golden_id, values in CUSTOMERS.items():
            query = select(MatchKey.key).where(MatchKey.golden_id == golden_id)
            wanted = {key for _, key in keys_of("customer", values)}
            assert set(session.scalars(query)) == wanted


def test_keys_of_a_customer_that_was_edited_meanwhile_are_left_alone(hub):
    with hub.database.write() as tx:
        assert rematch._mend(tx, {"a": (7, [("phone", 1)])}) == 0


def test_the_sets_together_hold_every_living_customer_once(hub):
    with hub.database.write() as tx:
        for number in range(7):
            golden = Golden(
                id=f"d{number}", entity="customer", values={"name": f"Acme {number} GmbH"},
                created_at=hub.now(),
            )  # fmt: skip
            goldens.describe(golden, hub.now())
            tx.add(golden)
        tx.flush()
        tx.execute(update(Golden).where(Golden.id == "d3").values(state="deleted"))
    told = []

    def say(step, facts):
        told.append((step, facts["done"]))

    found = rematch.run(hub, at_once=2, processes=1, say=say)
    assert found.customers == 9
    assert [done for step, done in told if step == "read"] == [2, 4, 6, 8, 9]
    assert told[-1] == ("done", 9)
    assert rematch.progress(hub)["step"] == "done"


def test_a_run_in_two_processes_finds_the_same(hub):
    with hub.database.write() as tx:
        for number in range(6):
            golden = Golden(
                id=f"e{number}", entity="customer", values=CUSTOMERS["c"], created_at=hub.now()
            )
            goldens.describe(golden, hub.now())
            tx.add(golden)
    found = rematch.run(hub, at_once=1, processes=2)
    assert (found.customers, found.rekeyed) == (9, 6)
    assert ("a", "b") in {(q.first_id, q.second_id) for q in questions(hub)}


def test_after_an_interruption_the_rest_is_written(hub):
    def full(step, _facts):
        if step == "compare":
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        rematch.run(hub, say=full)
    assert rematch.progress(hub)["step"] == "compare"
    assert questions(hub) == []
    assert rematch.run(hub).asked == 1
