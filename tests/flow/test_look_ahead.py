"""Scores from before the transaction: taken over where they still stand, and only there."""

from types import SimpleNamespace

import pytest

from sync.core import match as core
from sync.flow.match import FEW, Matcher, foresee, keys_of, look_ahead
from sync.store import goldens
from sync.store.session import Database
from sync.store.tables import Base, Golden
from tests.hubs import Clock

CUSTOMERS = {
    "a": {"name": "上海华信科技有限公司", "phones[work]": "021-55550101", "kind": "company"},
    "b": {"name": "上海华信物流有限公司", "phones[work]": "021-55550199", "kind": "company"},
    "c": {"name": "Nordwind Logistik GmbH", "phones[work]": "+4930901820", "kind": "company"},
}
ARRIVES = {
    "name": "上海市华信科技有限责任公司",
    "phones[work]": "+862155550101",
    "kind": "company",
}
SYSTEM = SimpleNamespace(id=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def database(request, tmp_path):
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.db'}" if sqlite else request.getfixturevalue("pg_hub_url")
    found = Database(url)
    Base.metadata.create_all(found.engine)
    store(found, CUSTOMERS)
    yield found
    found.engine.dispose()


def store(database, customers):
    with database.write() as tx:
        for golden_id, values in customers.items():
            golden = Golden(id=golden_id, entity="customer", values=values, created_at=Clock()())
            goldens.describe(golden, Clock()())
            tx.add(golden)
        tx.flush()
        goldens.set_keys(tx, {i: keys_of("customer", v) for i, v in customers.items()}, ())


def arriving(values=None, number=1):
    return SimpleNamespace(
        spec=SimpleNamespace(entity="customer"),
        seen=SimpleNamespace(key=("accounts", f"new-{number}")),
        object_name="accounts",
        values=dict(values or ARRIVES),
    )


def seen(database, item):
    with database.read() as session:
        return look_ahead(session, [item], foresee([item]))


@pytest.fixture
def scored(monkeypatch):
    """How many pairs are scored."""
    pairs, compare = [], core.Matcher.compare_groups

    def counting(self, groups, *rest):
        pairs.extend(other for _, others in groups for other in others)
        return compare(self, groups, *rest)

    monkeypatch.setattr(core.Matcher, "compare_groups", counting)
    return pairs


def matched(database, item, foreseen=None):
    with database.write() as tx:
        matcher = Matcher(tx, foreseen)
        matcher.prepare([item])
        return matcher.match(item, SYSTEM)


def test_nothing_is_scored_again_while_nothing_changes(database, scored):
    item = arriving()
    foreseen = seen(database, item)
    assert scored
    scored.clear()
    found = matched(database, item, foreseen)
    assert not scored
    assert found == matched(database, item)
    assert found.golden_id or found.candidates
    assert scored


def test_a_customer_that_was_edited_meanwhile_is_read_and_scored_again(database, scored):
    item = arriving()
    foreseen = seen(database, item)
    with database.write() as tx:
        golden = tx.get(Golden, "a")
        golden.values = {**golden.values, "name": "北京大成食品有限公司"}
        golden.version += 1
    scored.clear()
    found = matched(database, item, foreseen)
    assert len(scored) == 1
    assert found == matched(database, item)


def test_a_customer_that_came_meanwhile_is_found(database, scored):
    item = arriving()
    foreseen = seen(database, item)
    store(database, {"d": {**ARRIVES, "emails[work]": "office@huaxin.example.cn"}})
    found = matched(database, item, foreseen)
    assert found == matched(database, item)
    assert "d" in {found.golden_id, *(golden_id for golden_id, _, _ in found.candidates)}


def test_a_customer_that_went_meanwhile_is_no_candidate(database):
    item = arriving()
    foreseen = seen(database, item)
    with database.write() as tx:
        golden = tx.get(Golden, "a")
        golden.state, golden.version = "deleted", golden.version + 1
    found = matched(database, item, foreseen)
    assert found == matched(database, item)
    assert "a" not in {found.golden_id, *(golden_id for golden_id, _, _ in found.candidates)}


def test_a_value_that_became_common_meanwhile_counts_as_common(database, scored):
    item = arriving()
    foreseen = seen(database, item)
    store(
        database,
        {
            f"s{n}": {"name": f"杭州{n}号市场", "phones[work]": "021-55550101", "kind": "company"}
            for n in range(12)
        },
    )
    scored.clear()
    found = matched(database, item, foreseen)
    assert len(scored) >= 13
    assert found == matched(database, item)


def test_a_large_batch_is_looked_up_once(database):
    items = [arriving(number=number) for number in range(FEW + 1)]
    with database.read() as session:
        assert look_ahead(session, items, foresee(items)).ahead is None
        assert look_ahead(session, items[:FEW], foresee(items[:FEW])).ahead is not None
        assert look_ahead(session, [], foresee([])).ahead is None
