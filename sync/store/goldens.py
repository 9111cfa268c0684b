"""Golden records and their match keys."""

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Engine,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session

from mapping.canonical import PARENTS, display_name
from sync.store.session import Tx
from sync.store.tables import Golden, MatchKey

CHUNK = 500
LONGEST_SEARCHED = 340
NAMES_SEARCHED, NAMES_END = 140, "\n"
_KEYS = MatchKey.metadata.tables["match_key"]


def load(session: Session, ids: Iterable[str], *, lock: bool = False) -> dict[str, Golden]:
    """Golden records by id; locked in one order where the database has row locks."""
    wanted = sorted(set(ids))
    found: dict[str, Golden] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(Golden).where(Golden.id.in_(wanted[start : start + CHUNK]))
        query = query.order_by(Golden.id)
        if lock:
            query = query.with_for_update()
        found.update({row.id: row for row in session.scalars(query)})
    return found


def versions(tx: Tx, ids: Iterable[str]) -> dict[str, int]:
    """Versions of golden records by id, the records locked as `load` would lock them."""
    wanted = sorted(set(ids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(Golden.id, Golden.version).where(
            Golden.id.in_(wanted[start : start + CHUNK])
        )
        rows = tx.execute(query.order_by(Golden.id).with_for_update())
        found.update((golden_id, version) for golden_id, version in rows)
    return found


def lock(tx: Tx, read: Iterable[Golden]) -> dict[str, Golden]:
    """Records that were read before, locked now; those that have not changed are not read again.

    They become part of the transaction.
    """
    known = {golden.id: golden for golden in read}
    found = {
        golden_id: known[golden_id]
        for golden_id, version in versions(tx, known).items()
        if known[golden_id].version == version
    }
    tx.add_all(found.values())
    return found | load(tx, known.keys() - found.keys(), lock=True)


def survivor(session: Session, golden: Golden) -> Golden:
    """The record that a merged one became."""
    seen = {golden.id}
    while golden.merged_into and golden.merged_into not in seen:
        seen.add(golden.merged_into)
        golden = session.get_one(Golden, golden.merged_into)
    return golden


def children(session: Session, golden_id: str) -> list[tuple[str, str]]:
    """(id, entity) of the living records below a golden record."""
    found = session.execute(
        select(Golden.id, Golden.entity).where(
            Golden.parent_id == golden_id, Golden.state == "live"
        )
    )
    return [(child_id, entity) for child_id, entity in found]


def describe(golden: Golden, now: datetime) -> None:
    """Fills what is derived from the values: name, stage, search text, parent."""
    golden.name = display_name(golden.values)[:300]
    golden.stage = str(golden.values.get("stage") or "")[:20]
    golden.search = search_text(golden.values)
    parents = PARENTS.get(golden.entity, ("parent",))
    golden.parent_id = golden.values.get(parents[0])
    golden.updated_at = now


def search_text(values: Mapping[str, Any]) -> str:
    """What a person may search for: names, then after a line break numbers, mails, identifiers.

    It stands in an index, where PostgreSQL takes 2,700 bytes with the name.
    """
    named, others = [display_name(values).casefold()], list[str]()
    for path, value in values.items():
        head = path.split("[", 1)[0]
        if value and head in _SEARCHED:
            (named if head in _NAMES else others).append(str(value).casefold())
    names = " ".join(dict.fromkeys(part.replace("\n", " ") for part in named))
    return (names[:NAMES_SEARCHED] + NAMES_END + " ".join(others))[:LONGEST_SEARCHED]


def containing(session: Session, part: str, *, names_only: bool = False) -> ColumnElement[bool]:
    """Whether a record's search text has this in it, or its names have."""
    wanted = part.casefold()
    if session.get_bind().dialect.name == "postgresql":
        found, position = Golden.search.contains(wanted, autoescape=True), func.strpos
    else:  # where a search by LIKE reads character by character
        found, position = func.instr(Golden.search, wanted) > 0, func.instr
    if not names_only:
        return found
    return and_(found, position(Golden.search, wanted) < position(Golden.search, NAMES_END))


@dataclass(frozen=True, slots=True)
class Matchable:
    """As much of a golden record as matching reads; it is neither locked nor kept."""

    id: str
    entity: str
    state: str
    version: int
    values: Mapping[str, Any]


_LIVING = Golden.id.in_(bindparam("ids", expanding=True)), Golden.state == "live"
_MATCHABLE = select(Golden.id, Golden.entity, Golden.state, Golden.version, Golden.values).where(
    *_LIVING
)
_UNCHANGED = select(Golden.id, Golden.version).where(*_LIVING)


def matchable(session: Session, ids: Collection[str]) -> dict[str, Matchable]:
    """Living golden records by id."""
    wanted, found = sorted(ids), dict[str, Matchable]()
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(_MATCHABLE, {"ids": wanted[start : start + CHUNK]})
        found.update((row[0], Matchable(*row)) for row in rows)
    return found


def unchanged(session: Session, known: Mapping[str, Matchable]) -> dict[str, Matchable]:
    """Those that live and are as they were when they were read."""
    wanted, found = sorted(known), dict[str, Matchable]()
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(_UNCHANGED, {"ids": wanted[start : start + CHUNK]})
        found.update((i, known[i]) for i, version in rows if known[i].version == version)
    return found


COUNTED_EXACTLY = 2_000
COUNTED_AGAIN = 60.0  # seconds after which a larger number of customers is counted again
_counted: WeakKeyDictionary[Engine, tuple[float, int]] = WeakKeyDictionary()


def customers(session: Session) -> int:
    """How many customers live in the hub; of very many, how many there were a minute ago."""
    engine, now = session.get_bind().engine, time.monotonic()
    counted_at, known = _counted.get(engine, (0.0, 0))
    if known and now - counted_at <= COUNTED_AGAIN:
        return known
    living = select(literal(1)).where(Golden.entity == "customer", Golden.state == "live")
    few = select(func.count()).select_from(living.limit(COUNTED_EXACTLY + 1).subquery())
    number = session.scalar(few) or 0
    if number <= COUNTED_EXACTLY:
        return number
    known = session.scalar(select(func.count()).select_from(living.subquery())) or number
    _counted[engine] = (now, known)
    return known


# Of a key that thousands share it is enough to know that.
_COUNT_SQLITE = text(
    "SELECT w.value, (SELECT count(*) FROM (SELECT 1 FROM match_key m WHERE m.key = w.value "
    "LIMIT :most)) FROM json_each(:keys) w"
)
_COUNT_POSTGRESQL = text(
    "SELECT w.key, (SELECT count(*) FROM (SELECT 1 FROM match_key m WHERE m.key = w.key "
    "LIMIT :most) c) FROM unnest(CAST(:keys AS bigint[])) AS w(key)"
)


def key_frequencies(session: Session, keys: Collection[int], most: int) -> dict[int, int]:
    """How many golden records share each key, counted up to `most`."""
    if not keys:
        return {}
    if session.get_bind().dialect.name == "postgresql":
        rows = session.execute(_COUNT_POSTGRESQL, {"keys": list(keys), "most": most})
    else:
        rows = session.execute(_COUNT_SQLITE, {"keys": json.dumps(list(keys)), "most": most})
    return {key: count for key, count in rows if count}


_BY_KEYS = select(MatchKey.key, MatchKey.golden_id).where(
    MatchKey.key.in_(bindparam("keys", expanding=True))
)


def by_keys(session: Session, keys: Collection[int]) -> list[tuple[int, str]]:
    """(key, golden id) of the golden records that have these keys."""
    rows: list[tuple[int, str]] = []
    wanted = list(keys)
    for start in range(0, len(wanted), CHUNK):
        found = session.execute(_BY_KEYS, {"keys": wanted[start : start + CHUNK]})
        rows.extend((key, golden_id) for key, golden_id in found)
    return rows


def set_keys(tx: Tx, keys: Mapping[str, Sequence[tuple[str, int]]], fresh: Collection[str]) -> None:
    """Replaces the match keys (family, key) of golden records; `fresh` ones have none yet."""
    old = [golden_id for golden_id in keys if golden_id not in fresh]
    for start in range(0, len(old), CHUNK):
        tx.execute(
            delete(MatchKey)
            .where(MatchKey.golden_id.in_(old[start : start + CHUNK]))
            .execution_options(synchronize_session=False)
        )
    rows = [
        {"key": key, "golden_id": golden_id, "family": family}
        for golden_id, pairs in keys.items()
        for key, family in {key: family for family, key in reversed(pairs)}.items()
    ]
    for start in range(0, len(rows), 2 * CHUNK):
        tx.execute(insert(_KEYS), rows[start : start + 2 * CHUNK])


_NAMES = frozenset({"name", "legal_name", "names"})
_SEARCHED = _NAMES | {
    "contact_name",
    "number",
    "reference",
    "phones",
    "emails",
    "identifiers",
    "website",
}
