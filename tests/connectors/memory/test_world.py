"""The world's switches do what their names say."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from connectors.memory import Memory, Trouble, world
from connectors.memory.shapes import SHAPES
from connectors.memory.world import forget
from connectors.sdk.contract import Write
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    DeliveryRejected,
    GoneError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)
from connectors.testing.plain import PlainLimiter, plain_http

CUSTOMERS, CONTACTS = "customers", "contacts"


class Clock:
    def __init__(self):
        self.moment = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)

    def __call__(self):
        return self.moment

    def tick(self, seconds):
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def here(clock):
    name = uuid4().hex
    found = world(name)
    found.clock, found.label = clock, name
    yield found
    forget(name)


def connect(here, **config):
    settings = {"world": here.label, "password": "memory", **config}
    return Memory(Memory.config_model.model_validate(settings), plain_http(PlainLimiter()))


@pytest.fixture
def connector(here):
    return connect(here)


def write(connector, *writes):
    return {o.key: o for o in connector.write(CUSTOMERS, writes)}


def create(connector, key="k", **data):
    return write(connector, Write(key, "create", data={"name": "华信", **data}))[key]


def deltas(connector, cursor):
    pages = list(connector.changes(CUSTOMERS, cursor))
    return [c for page in pages for c in page.changes], pages[-1].cursor


@pytest.mark.parametrize(("unit", "stored"), [("characters", "深圳市华"), ("bytes", "深")])
def test_values_are_cut_by_characters_or_bytes(here, connector, unit, stored):
    here.switch(cut={"name": 4}, cut_in=unit)
    assert create(connector, name="深圳市华信").after.data["name"] == stored


@pytest.mark.parametrize(
    ("manner", "stored"),
    [("kept", "+8613800000000"), ("digits", "8613800000000"), ("national", "13800000000")],
)
def test_phones_are_stored_in_the_worlds_own_manner(here, connector, manner, stored):
    here.switch(phones=manner)
    assert create(connector, phone="+8613800000000").after.data["phone"] == stored


def test_times_are_coarse_and_shifted(here, connector):
    here.switch(whole_seconds=True, clock_offset=90)
    at = create(connector).after.modified_at
    assert at == datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)


def test_a_change_in_the_same_coarse_second_is_not_missed(here, connector, clock):
    here.switch(whole_seconds=True)
    first, second = here.create(CUSTOMERS, name="1"), here.create(CUSTOMERS, name="2")
    _, cursor = deltas(connector, None)
    here.edit(CUSTOMERS, first, name="1 again")
    seen, _ = deltas(connector, cursor)
    assert {c.remote_id for c in seen} == {first, second}


def test_a_stale_version_is_refused_only_where_the_world_can(here, connector):
    made = create(connector).after
    here.edit(CUSTOMERS, made.remote_id, name="By a user")
    stale = Write("u", "update", made.remote_id, {"name": "Ours"}, made.version)
    assert isinstance(write(connector, stale)["u"].error, ChangedError)
    here.switch(conditional=False)
    assert connector.conditional is True
    assert connect(here).conditional is False
    assert write(connector, stale)["u"].error is None


def test_without_a_unique_key_a_repeated_create_doubles_the_record(here, connector):
    assert create(connector).remote_id != create(connector).remote_id
    assert len(here.all(CUSTOMERS)) == 2


def test_with_a_unique_key_it_does_not(here, connector):
    here.switch(unique_key=True)
    assert create(connector).remote_id == create(connector, name="又").remote_id
    assert [record["name"] for record in here.all(CUSTOMERS)] == ["又"]


def test_search_may_be_behind(here, connector, clock):
    here.switch(search_lag=30)
    create(connector)
    assert connector.find(CUSTOMERS, ["k"]) == {}
    clock.tick(30)
    assert list(connector.find(CUSTOMERS, ["k"])) == ["k"]
    assert connect(here).settle_seconds > 30


def test_deletes_are_told_or_not(here, connector):
    made = create(connector).remote_id
    _, cursor = deltas(connector, None)
    here.delete(CUSTOMERS, made)
    assert [c.data for c in deltas(connector, cursor)[0]] == [None]
    here.switch(lists_deletes=False)
    assert deltas(connector, cursor)[0] == []
    here.undelete(CUSTOMERS, made)
    assert [c.data["name"] for c in deltas(connector, cursor)[0]] == ["华信"]


@pytest.mark.parametrize("redirects", [True, False])
def test_a_users_merge_moves_children_and_fills_gaps(here, connector, redirects):
    here.switch(merge_redirects=redirects)
    winner, loser = (
        create(connector, "w").remote_id,
        create(connector, "l", email="a@x.cn").remote_id,
    )
    person = here.create(CONTACTS, name="李", customer_id=loser)
    here.merge(CUSTOMERS, winner, [loser])
    found = {c.remote_id: c for c in connector.fetch(CUSTOMERS, [winner, loser])}
    assert found[winner].data["email"] == "a@x.cn"
    assert found[winner].data["hub_key"] == "w"
    assert found[loser].data is None
    assert found[loser].merged_into == (winner if redirects else None)
    (child,) = connector.fetch(CONTACTS, [person])
    assert child.data["customer_id"] == winner
    gone = write(connector, Write("u", "update", loser, {"name": "x"}))["u"]
    assert isinstance(gone.error, GoneError)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"industry": "Mining"}, "industry"),
        ({"name": None}, "name"),
        ({"employees": "many"}, "employees"),
        ({"blocked": "yes"}, "blocked"),
        ({"parent_id": "cus9"}, "parent_id"),
        ({"email": "a" * 256}, "email"),
        ({"id": "mine"}, "id"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_refused_value_names_its_field(here, connector, data, field):
    here.switch(choices={"customers.industry": ["Trade"]})
    error = create(connector, **data).error
    assert isinstance(error, RecordError)
    assert error.field == field
    assert here.all(CUSTOMERS) == []


def test_the_schema_tells_the_choices(here, connector):
    here.switch(choices={"customers.industry": ["Trade"]})
    field = connector.schema(CUSTOMERS).fields["industry"]
    assert [option.value for option in field.options] == ["Trade"]
    assert field.strict_options


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unreachable", TransientError),
        ("unavailable", TransientError),
        ("throttled", ThrottledError),
        ("unauthorised", SetupError),
        ("forbidden", SetupError),
    ],
)
def test_a_trouble_comes_before_the_work(here, connector, kind, error):
    here.trouble(Trouble(kind=kind, only="write"))
    connector.check()  # a read is not concerned
    with pytest.raises(error):
        create(connector)
    assert here.all(CUSTOMERS) == []


def test_a_lost_answer_comes_after_the_work(here, connector):
    here.trouble(Trouble(kind="lost", calls=2))
    for key in ("a", "b"):
        with pytest.raises(AnswerLostError):
            create(connector, key)
    assert sorted(connector.find(CUSTOMERS, ["a", "b"])) == ["a", "b"]
    assert create(connector, "c").error is None


def test_an_answer_may_be_lost_half_way(here, connector):
    here.trouble(Trouble(kind="lost", after=2))
    outcomes = connector.write(
        CUSTOMERS, [Write(f"k{n}", "create", data={"name": "N"}) for n in range(4)]
    )
    assert [next(outcomes).key, next(outcomes).key] == ["k0", "k1"]
    with pytest.raises(AnswerLostError):
        next(outcomes)
    assert len(here.all(CUSTOMERS)) == 2


def test_a_read_only_user_is_a_matter_of_the_set_up(here, connector):
    here.switch(read_only=True)
    with pytest.raises(SetupError):
        create(connector)


def test_calls_are_counted_by_both_sides(here, connector):
    here.create(CUSTOMERS, name="by a user")
    list(connector.changes(CUSTOMERS, None))
    create(connector)
    limiter = connector.http.limiter
    assert (here.calls("read"), here.calls("write")) == (limiter.reads, limiter.writes) == (2, 1)


def deliveries(here, connector):
    return [d for _, d in here.take_deliveries() if connector.verify(d) is None]


@pytest.mark.parametrize(
    ("manner", "order"),
    [("once", [1, 2]), ("twice", [1, 1, 2, 2]), ("reversed", [2, 1]), ("silent", [])],
)
def test_webhooks_come_as_the_world_sends_them(here, connector, manner, order):
    here.switch(webhooks=manner)
    connector.subscribe("https://hub.example.com/hooks/1", {})
    ids = [here.create(CUSTOMERS, name=str(n)) for n in range(2)]
    sent = deliveries(here, connector)
    hints = [hint for delivery in sent for hint in connector.hints(delivery)]
    assert [hint.remote_id for hint in hints] == [ids[n - 1] for n in order]
    assert len({hint.delivery_id for hint in hints}) == len(set(order))
    assert here.take_deliveries() == []


def test_only_living_subscriptions_are_served(here, connector, clock):
    state = connector.subscribe("https://hub.example.com/hooks/1", {})
    clock.tick(8 * 86_400)
    here.create(CUSTOMERS, name="unheard")
    assert here.take_deliveries() == []
    connector.subscribe("https://hub.example.com/hooks/1", state)
    here.create(CUSTOMERS, name="heard")
    assert len(here.take_deliveries()) == 1
    connector.unsubscribe(state)
    here.create(CUSTOMERS, name="unheard")
    assert here.take_deliveries() == []


def test_a_delivery_that_waited_too_long_is_refused(here, connector):
    connector.subscribe("https://hub.example.com/hooks/1", {})
    here.create(CUSTOMERS, name="slow")
    ((_, delivery),) = here.take_deliveries()
    late = type(delivery)(
        delivery.headers, {}, delivery.body, delivery.received_at + timedelta(minutes=6)
    )
    with pytest.raises(DeliveryRejected, match="old"):
        connector.verify(late)


def test_a_world_in_a_file_survives_its_process(tmp_path):
    path, label = tmp_path / "world.db", uuid4().hex
    settings = {"world": label, "path": str(path), "password": "memory"}
    first = Memory(Memory.config_model.model_validate(settings), plain_http())
    made = create(first).remote_id
    first.world.switch(search_lag=3, conditional=False)
    first.world.trouble(Trouble(kind="lost"))
    forget(label)
    again = Memory(Memory.config_model.model_validate(settings), plain_http())
    assert again.world is not first.world
    with pytest.raises(AnswerLostError):
        again.check()
    assert again.conditional is False
    assert [c.remote_id for c in again.fetch(CUSTOMERS, [made])] == [made]
    assert create(again, "k2").remote_id != made
    forget(label)


def test_two_processes_share_a_world_in_a_file(tmp_path):
    path = tmp_path / "world.db"
    one, other = world(uuid4().hex, path), world(uuid4().hex, path)
    made = one.create(CUSTOMERS, name="here")
    other.edit(CUSTOMERS, made, name="and there")
    assert one.get(CUSTOMERS, made).body["name"] == "and there"
    one.close()
    other.close()


def test_a_world_is_dumped_and_loaded(here):
    parent = here.create(CUSTOMERS, name="母公司")
    for _ in range(3):
        last = here.create(CONTACTS, name="李", customer_id=parent, tags=["vip"])
    here.delete(CUSTOMERS, here.create(CUSTOMERS, name="gone"))
    here.delete(CONTACTS, here.all(CONTACTS)[0]["id"])
    copy = world(uuid4().hex)
    copy.load(here.dump())
    assert copy.dump() == here.dump()
    taken = {record["id"] for records in here.dump().values() for record in records}
    assert last in taken
    assert not taken & {copy.create(CONTACTS, name="new") for _ in range(5)}
    copy.close()


def test_every_object_can_be_written_and_listed(here, connector):
    for name, shape in SHAPES.items():
        required = {f.name: "x" for f in shape.fields.values() if f.required}
        if "customer_id" in required:
            required["customer_id"] = here.create(CUSTOMERS, name="parent")
        (made,) = connector.write(name, [Write("k", "create", data=required)])
        assert made.error is None, (name, made.error)
        pages = list(connector.changes(name, None))
        assert made.remote_id in {c.remote_id for page in pages for c in page.changes}
