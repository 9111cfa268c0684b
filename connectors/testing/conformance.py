"""What every connector must do. Subclass, give `connector`, `impostor` and `target`, run pytest.

Each test is a rule, and stands in the connector's `quality.yaml` under its name: `done` must
pass, `exempt: why` is skipped with its reason, `todo` may fail. A rule for a capability that the
connector does not declare must be exempt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.sdk.config import form_fields, secret_names
from connectors.sdk.contract import (
    Change,
    Delivery,
    DescribesSchema,
    ListsUnkeyed,
    MergesRecords,
    Native,
    Outcome,
    Page,
    ReadsChanges,
    ReceivesWebhooks,
    SubscribesWebhooks,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    ConnectorError,
    DeliveryRejected,
    GoneError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)
from connectors.testing import network
from connectors.testing.cassettes import Cassette, secrets_in
from connectors.testing.mappings import MappingRules
from connectors.testing.quality import claims
from connectors.testing.rules import Target, needs
from mapping.paths import ABSENT, put, read

__all__ = ["ConnectorConformance", "Target", "needs", "rules"]

TEXTS = (
    "深圳市纷享测试有限公司",
    "镕喆 𠮷 😀",
    "Ａ１，全角（括号）",
    'O\'Brien & Söhne "GmbH" <b>50%</b> \\ ;',
    "two  spaces",
)


def rules(suite: type) -> Sequence[str]:
    """The names of all rules of a suite."""
    return sorted(name.removeprefix("test_") for name in dir(suite) if name.startswith("test_"))


class ConnectorConformance(MappingRules):
    """The suite. `connector` needs a plain Http and a page size of two records."""

    secrets: ClassVar[Sequence[str]] = ()  # what no cassette may hold

    @pytest.fixture
    def connector(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def impostor(self) -> Any:
        """The same with credentials that the system refuses."""
        raise NotImplementedError

    @pytest.fixture
    def target(self) -> Target:
        raise NotImplementedError

    @pytest.fixture
    def cassettes(self) -> Path | None:
        """Folder of the recorded calls, None where none are recorded."""
        return None

    @pytest.fixture(autouse=True)
    def _claimed(self, request: pytest.FixtureRequest, connector: Any) -> None:
        name = request.node.originalname.removeprefix("test_")
        claim = claims(type(connector)).get(name)
        if claim is None:
            pytest.fail(f"quality.yaml says nothing about {name}.")
        if claim.state == "exempt":
            pytest.skip(claim.why)
        if claim.state == "todo":
            request.applymarker(pytest.mark.xfail(reason=claim.why, strict=True))
        lacking = [
            c for c in getattr(request.function, "capabilities", ()) if not _is(connector, c)
        ]
        if lacking:
            names = ", ".join(c.__name__ for c in lacking)
            pytest.fail(f"quality.yaml claims {name}, but the connector does not declare {names}.")

    def test_quality_names_every_rule(self, connector: Any) -> None:
        assert sorted(claims(type(connector))) == list(rules(type(self)))

    # -- settings ---------------------------------------------------------------------------
    def test_settings_make_a_form(self, connector: Any) -> None:
        model = type(connector).config_model
        for language in ("en", "zh"):
            for field in form_fields(model, language):
                assert field.title, field
                assert field.description, field
        english = {f.name: f.title for f in form_fields(model, "en")}
        chinese = {f.name: f.title for f in form_fields(model, "zh")}
        same = [name for name in english if english[name] == chinese[name]]
        assert not same, f"no Chinese words for {same}"

    def test_settings_refuse_unknown_keys(self, connector: Any) -> None:
        with pytest.raises(ValidationError):
            type(connector).config_model.model_validate(
                {**connector.config.model_dump(), "no_such_setting": 1}
            )

    def test_settings_never_print_a_secret(self, connector: Any) -> None:
        shown = repr(connector.config) + str(connector.config) + connector.config.model_dump_json()
        for name in secret_names(type(connector).config_model):
            secret = getattr(connector.config, name)
            assert (
                secret is None
                or not secret.get_secret_value()
                or (secret.get_secret_value() not in shown)
            )

    def test_check_accepts_good_credentials(self, connector: Any) -> None:
        assert connector.check() is None

    def test_check_names_bad_credentials(self, impostor: Any) -> None:
        with pytest.raises(SetupError) as caught:
            impostor.check()
        assert _is_sentence(str(caught.value))

    # -- listings ---------------------------------------------------------------------------
    @needs(ReadsChanges)
    def test_listing_is_complete_and_oldest_first(self, connector: Any, target: Target) -> None:
        ids = target.seed(5)
        pages = list(connector.changes(target.object_name, None))
        assert len(pages) > 2, "give the connector a page size of two"
        changes = _changes(pages)
        assert set(ids) <= {c.remote_id for c in changes}
        moments = [c.modified_at for c in changes if c.modified_at]
        assert moments == sorted(moments)

    @needs(ReadsChanges)
    def test_cursors_survive_json_and_resume_anywhere(self, connector: Any, target: Target) -> None:
        ids = set(target.seed(5))
        seen: set[str] = set()
        for page in connector.changes(target.object_name, None):
            seen |= {c.remote_id for c in page.changes}
            stored = json.loads(json.dumps(page.cursor))
            rest = _changes(connector.changes(target.object_name, stored))
            assert ids <= seen | {c.remote_id for c in rest}

    @needs(ReadsChanges)
    def test_pages_are_fetched_lazily(self, connector: Any, target: Target) -> None:
        target.seed(5)
        pages = connector.changes(target.object_name, None)
        next(pages)
        before = connector.http.limiter.reads
        next(pages)
        assert connector.http.limiter.reads > before

    @needs(ReadsChanges)
    def test_broken_listing_raises(self, connector: Any, target: Target) -> None:
        target.seed(5)
        pages = connector.changes(target.object_name, None)
        next(pages)
        with target.broken(network.TIMEOUT), pytest.raises(TransientError):
            list(pages)

    @needs(ReadsChanges)
    def test_deltas_bring_what_changed(self, connector: Any, target: Target) -> None:
        first, second = target.seed(2)
        last = list(connector.changes(target.object_name, None))[-1]
        assert list(connector.changes(target.object_name, last.cursor)), "tell a cursor each time"
        target.edit(first, "moved after the listing")
        target.remove(second)
        found = {
            c.remote_id: c for c in _changes(connector.changes(target.object_name, last.cursor))
        }
        assert found[first].data is not None
        assert read(found[first].data, target.text_field) == "moved after the listing"
        assert second not in found or found[second].data is None

    @needs(ListsUnkeyed)
    def test_unkeyed_brings_what_others_entered(self, connector: Any, target: Target) -> None:
        own, edited = (_create(connector, target, f"own-{n}", target.sample(n)) for n in (51, 52))
        last = list(connector.changes(target.object_name, None))[-1]
        (entered,) = target.seed(1)
        target.edit(edited, "moved after the listing")
        pages = list(connector.unkeyed(target.object_name, json.loads(json.dumps(last.cursor))))
        found = {c.remote_id for c in _changes(pages)}
        assert entered in found
        assert not found & {own, edited}, "these carry a hub key"
        target.edit(entered, "moved again")
        (again,) = target.seed(1)
        pages = list(connector.unkeyed(target.object_name, pages[-1].cursor))
        assert {entered, again} <= {c.remote_id for c in _changes(pages)}

    @needs(ReadsChanges)
    def test_fetch_answers_each_id_once(self, connector: Any, target: Target) -> None:
        first, second, gone = target.seed(3)
        target.remove(gone)
        asked = [second, target.missing_id(), gone, first, second]
        found = list(connector.fetch(target.object_name, asked))
        assert sorted(c.remote_id for c in found) == sorted(set(asked))
        tombs = {c.remote_id for c in found if c.data is None}
        assert tombs == {target.missing_id(), gone}

    @needs(ReadsChanges)
    def test_listing_and_fetch_agree(self, connector: Any, target: Target) -> None:
        ids = target.seed(2)
        listed = {c.remote_id: c for c in _changes(connector.changes(target.object_name, None))}
        for fetched in connector.fetch(target.object_name, ids):
            assert fetched == listed[fetched.remote_id]

    # -- writes -----------------------------------------------------------------------------
    @needs(WritesRecords, ReadsChanges)
    def test_one_outcome_per_write(self, connector: Any, target: Target) -> None:
        first, second = target.seed(2)
        batch = [
            Write("new-1", "create", data=target.sample(11)),
            Write("old-1", "update", first, _text(target, "changed")),
            Write("bad-1", "create", data=target.wrong()),
            Write("gone-1", "update", target.missing_id(), _text(target, "nobody")),
            Write("old-2", "update", second, _text(target, "changed too")),
        ]
        found = {o.key: o for o in connector.write(target.object_name, batch)}
        assert sorted(found) == sorted(w.key for w in batch)
        assert [found[k].error for k in ("new-1", "old-1", "old-2")] == [None] * 3
        assert isinstance(found["bad-1"].error, RecordError)
        assert isinstance(found["gone-1"].error, GoneError)
        assert _is_sentence(str(found["bad-1"].error))
        assert target.text(first) == "changed"
        assert target.text(second) == "changed too"
        assert _remote_id(found["new-1"])

    @needs(WritesRecords)
    def test_cut_off_call_claims_nothing(self, connector: Any, target: Target) -> None:
        connector.check()
        batch = [Write(f"cut-{n}", "create", data=target.sample(20 + n)) for n in range(2)]
        outcomes: list[Outcome] = []
        with target.broken(network.TIMEOUT), pytest.raises(AnswerLostError):
            outcomes.extend(connector.write(target.object_name, batch))
        assert [o for o in outcomes if o.error is None] == []

    @needs(WritesRecords)
    def test_same_key_creates_once_or_is_found(self, connector: Any, target: Target) -> None:
        write = Write("once-1", "create", data=target.sample(31))
        made = next(iter(connector.write(target.object_name, [write])))
        assert made.error is None
        found = connector.find(target.object_name, ["once-1", "never-made"])
        assert list(found) == ["once-1"]
        assert found["once-1"].remote_id == _remote_id(made)
        assert target.count("once-1") == 1

    @needs(WritesRecords, ReadsChanges)
    def test_only_given_fields_change(self, connector: Any, target: Target) -> None:
        made = _create(connector, target, "part-1", target.sample(41))
        before = _one(connector, target, made)
        _update(connector, target, made, _text(target, "only this"))
        after = _one(connector, target, made)
        assert read(after, target.text_field) == "only this"
        for path, value in _leaves(target.sample(41)):
            if path != target.text_field:
                assert read(after, path) == read(before, path) not in (None, ABSENT), (path, value)

    @needs(WritesRecords, ReadsChanges)
    def test_text_survives_or_is_refused(self, connector: Any, target: Target) -> None:
        made = _create(connector, target, "text-1", target.sample(51))
        for text in TEXTS:
            outcome = _write(connector, target, Write("t", "update", made, _text(target, text)))
            if outcome.error is None:
                assert target.text(made) == text
                assert read(_one(connector, target, made), target.text_field) == text

    @needs(WritesRecords, ReadsChanges)
    def test_empty_text_clears_or_is_refused(self, connector: Any, target: Target) -> None:
        made = _create(connector, target, "empty-1", target.sample(52))
        for nothing in ("", None):
            outcome = _write(connector, target, Write("t", "update", made, _text(target, nothing)))
            if outcome.error is None:
                assert read(_one(connector, target, made), target.text_field) in {None, ""}
            else:
                assert isinstance(outcome.error, RecordError)

    @needs(WritesRecords, ReadsChanges, DescribesSchema)
    def test_longest_text_survives_and_longer_is_shown(
        self, connector: Any, target: Target
    ) -> None:
        made = _create(connector, target, "long-1", target.sample(53))
        field = connector.schema(target.object_name).find(target.text_field)
        assert field is not None
        longest = "长" * ((field.max_length or 400) // (3 if field.length_in == "bytes" else 1))
        _update(connector, target, made, _text(target, longest))
        assert target.text(made) == longest
        outcome = _write(
            connector, target, Write("t", "update", made, _text(target, longest + "长长"))
        )
        if outcome.error is None:
            held = target.text(made)
            assert read(_one(connector, target, made), target.text_field) == held

    @needs(WritesRecords, ReadsChanges)
    def test_outcome_shows_what_is_stored(self, connector: Any, target: Target) -> None:
        write = Write("shown-1", "create", data=target.sample(54))
        made = _write(connector, target, write)
        assert made.error is None
        stored = next(iter(connector.fetch(target.object_name, [_remote_id(made)])))
        if made.after is not None:
            assert made.after.data == stored.data
            assert made.after.version == stored.version
        assert not stored.edited

    @needs(WritesRecords, ReadsChanges)
    def test_stale_write_is_refused(self, connector: Any, target: Target) -> None:
        (record,) = target.seed(1)
        version = next(iter(connector.fetch(target.object_name, [record]))).version
        target.edit(record, "a user was faster")
        stale = Write("stale-1", "update", record, _text(target, "too late"), if_version=version)
        outcome = _write(connector, target, stale)
        assert isinstance(outcome.error, ChangedError)
        assert target.text(record) == "a user was faster"
        fresh = next(iter(connector.fetch(target.object_name, [record]))).version
        outcome = _write(connector, target, replace(stale, if_version=fresh))
        assert outcome.error is None

    @needs(WritesRecords, ReadsChanges)
    def test_delete_leaves_a_tombstone_and_may_be_repeated(
        self, connector: Any, target: Target
    ) -> None:
        (record,) = target.seed(1)
        for key in ("delete-1", "delete-2"):
            outcome = _write(connector, target, Write(key, "delete", record))
            assert outcome.error is None
        assert next(iter(connector.fetch(target.object_name, [record]))).data is None

    @needs(MergesRecords, ReadsChanges)
    def test_merge_leaves_the_winner(self, connector: Any, target: Target) -> None:
        winner, loser = target.seed(2)
        for _ in range(2):
            connector.merge(target.object_name, winner, [loser])
        found = {c.remote_id: c for c in connector.fetch(target.object_name, [winner, loser])}
        assert found[winner].data is not None
        assert found[loser].data is None
        assert found[loser].merged_into in {winner, None}

    # -- failures ---------------------------------------------------------------------------
    @needs(ReadsChanges)
    def test_failures_have_their_class(self, connector: Any, target: Target) -> None:
        connector.check()
        expected: Mapping[network.Failure, tuple[type[ConnectorError], ...]] = {
            network.UNAUTHORISED: (SetupError,),
            network.FORBIDDEN: (SetupError,),
            network.BROKEN: (TransientError,),
            network.UNAVAILABLE: (TransientError,),
            network.TIMEOUT: (TransientError,),
            network.UNREACHABLE: (TransientError,),
            network.MAINTENANCE: (TransientError, SetupError),
        }
        for failure, classes in expected.items():
            with target.broken(failure), pytest.raises(classes) as caught:
                list(connector.fetch(target.object_name, [target.missing_id()]))
            assert _is_sentence(str(caught.value)), failure

    @needs(ReadsChanges)
    def test_throttling_tells_how_long(self, connector: Any, target: Target) -> None:
        connector.check()
        with target.broken(network.THROTTLED), pytest.raises(ThrottledError) as caught:
            list(connector.fetch(target.object_name, [target.missing_id()]))
        assert caught.value.retry_after == 7

    @needs(ReadsChanges)
    def test_error_inside_success_is_an_error(self, connector: Any, target: Target) -> None:
        connector.check()
        answer, kind = target.inside_error()
        with target.broken(answer), pytest.raises(kind):
            list(connector.fetch(target.object_name, [target.missing_id()]))

    # -- deliveries -------------------------------------------------------------------------
    @needs(ReceivesWebhooks)
    def test_deliveries_are_proven(self, connector: Any, target: Target) -> None:
        delivery = target.delivery("1")
        connector.verify(delivery)
        for forged in target.forged(delivery):
            with pytest.raises(DeliveryRejected):
                _receive(connector, forged)

    @needs(ReceivesWebhooks)
    def test_repeated_delivery_keeps_its_id(self, connector: Any, target: Target) -> None:
        delivery = target.delivery("1")
        again = replace(delivery, received_at=delivery.received_at + timedelta(seconds=5))
        first, second = connector.hints(delivery), connector.hints(again)
        assert first == second
        assert [hint.remote_id for hint in first] == ["1"]
        other = connector.hints(target.delivery("2"))
        assert not {h.delivery_id for h in first} & {h.delivery_id for h in other}

    @needs(SubscribesWebhooks)
    def test_subscription_renews_and_ends(self, connector: Any) -> None:
        state = connector.subscribe("https://hub.example.com/hooks/1", {})
        renewed = connector.subscribe(
            "https://hub.example.com/hooks/1", json.loads(json.dumps(state))
        )
        assert renewed["expires_at"] >= state["expires_at"]
        for _ in range(2):
            connector.unsubscribe(renewed)

    # -- cassettes --------------------------------------------------------------------------
    def test_no_cassette_holds_a_secret(self, cassettes: Path | None) -> None:
        assert cassettes is not None, "give the suite its cassettes, or exempt this rule"
        files = sorted(cassettes.glob("*.yaml"))
        assert files
        for file in files:
            assert not secrets_in(file.read_text(encoding="utf-8"), self.secrets), file.name
            assert Cassette.load(file).calls, file.name


def _receive(connector: Any, delivery: Delivery) -> None:
    connector.verify(delivery)
    connector.hints(delivery)


def _is(connector: Any, capability: type) -> bool:
    return isinstance(connector, capability)


def _is_sentence(text: str) -> bool:
    return len(text) > 10 and text.rstrip()[-1] in ".。!?！)" and " " in text


def _changes(pages: Any) -> list[Change]:
    return [change for page in pages for change in _page(page).changes]


def _page(page: Page) -> Page:
    assert json.loads(json.dumps(page.cursor)) == page.cursor
    return page


def _text(target: Target, text: str | None) -> Native:
    data: dict[str, Any] = {}
    put(data, target.text_field, text)
    return data


def _remote_id(outcome: Outcome) -> str:
    found = outcome.after.remote_id if outcome.after else outcome.remote_id
    assert found, "a create must tell the new id"
    return found


def _write(connector: Any, target: Target, write: Write) -> Outcome:
    (outcome,) = connector.write(target.object_name, [write])
    assert isinstance(outcome, Outcome)
    return outcome


def _create(connector: Any, target: Target, key: str, data: Native) -> str:
    outcome = _write(connector, target, Write(key, "create", data=data))
    assert outcome.error is None
    return _remote_id(outcome)


def _update(connector: Any, target: Target, remote_id: str, data: Native) -> None:
    assert _write(connector, target, Write("update", "update", remote_id, data)).error is None


def _one(connector: Any, target: Target, remote_id: str) -> Native:
    (change,) = connector.fetch(target.object_name, [remote_id])
    assert change.data is not None
    return dict(change.data)


def _leaves(data: Native, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, Mapping):
            found += _leaves(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found
