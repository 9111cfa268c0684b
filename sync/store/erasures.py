"""Requests to erase a person: what they concern, what the hub itself holds, how far they are."""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, String, cast, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from mapping.canonical import FACTS
from sync.store.session import Tx
from sync.store.tables import (
    Candidate,
    Change,
    Conflict,
    DeadLetter,
    Dirty,
    Erasure,
    ErasureReturn,
    ErasureStep,
    Golden,
    Guard,
    Inbox,
    Link,
    MatchKey,
    Merge,
    Plan,
    Staged,
)
from sync.store.upsert import insert_into

ERASED = "erased"  # state of a golden record and of its links
CHUNK = 500
_SHORTEST = 4  # characters; shorter texts say nothing about anybody
_SINGLE = ("delete", "flipflop")  # guards that are about one record


def scope(session: Session, golden: Golden) -> list[Golden]:
    """The record, all that was merged into it, and the contacts of all of them."""
    found = {golden.id: golden}
    fresh = [golden.id]
    while fresh:
        merged = session.scalars(select(Golden).where(Golden.merged_into.in_(fresh)))
        below = session.scalars(
            select(Golden).where(Golden.parent_id.in_(fresh), Golden.entity == "contact")
        )
        more = [row for row in (*merged, *below) if row.id not in found]
        found.update({row.id: row for row in more})
        fresh = [row.id for row in more]
    return list(found.values())


def documents(session: Session, golden_ids: Collection[str]) -> dict[int, int]:
    """By system: orders, invoices and payments of these records that it holds."""
    rows = session.execute(
        select(Link.system_id, func.count())
        .join(Golden, Golden.id == Link.golden_id)
        .where(
            Golden.parent_id.in_(golden_ids),
            Golden.entity.in_(FACTS),
            Link.state.in_(("live", "in_doubt")),
        )
        .group_by(Link.system_id)
    )
    return dict(rows.all())


def kept(session: Session, golden_ids: Collection[str]) -> dict[str, int]:
    """Commercial documents that stay, by kind."""
    rows = session.execute(
        select(Golden.entity, func.count())
        .where(Golden.parent_id.in_(golden_ids), Golden.entity.in_(FACTS))
        .group_by(Golden.entity)
    )
    return dict(rows.all())


def holders(session: Session, value: str, outside: Collection[str]) -> list[Golden]:
    """Living records outside of these whose search text holds a value."""
    pattern = value.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    query = select(Golden).where(
        Golden.state == "live",
        Golden.entity.not_in(FACTS),
        Golden.search.like(f"%{pattern}%", escape="\\"),
    )
    return [row for row in session.scalars(query.limit(50)) if row.id not in outside]


def open_for(session: Session, golden_id: str) -> Erasure | None:
    """The request that is at work on a record, or has erased it."""
    query = select(Erasure).where(Erasure.golden_id == golden_id, Erasure.lifted_at.is_(None))
    return session.scalar(query.order_by(Erasure.requested_at.desc()).limit(1))


def of_record(session: Session, golden_id: str) -> Erasure | None:
    """The request that erased a record, also one that went with another (a contact)."""
    known = open_for(session, golden_id)
    if known is not None:
        return known
    link = session.scalar(
        select(Change.new)
        .where(Change.golden_id == golden_id, Change.op == ERASED)
        .order_by(Change.id.desc())
        .limit(1)
    )
    return session.get(Erasure, str(link)) if link else None


def steps(session: Session, erasure_id: str) -> list[ErasureStep]:
    """The remote records of a request, in the order of work."""
    query = select(ErasureStep).where(ErasureStep.erasure_id == erasure_id)
    return list(session.scalars(query.order_by(ErasureStep.id)))


def returns(session: Session, erasure_id: str) -> list[ErasureReturn]:
    """Records that were turned away because of a request."""
    query = select(ErasureReturn).where(ErasureReturn.erasure_id == erasure_id)
    return list(session.scalars(query.order_by(ErasureReturn.id)))


def due(session: Session, now: datetime) -> list[str]:
    """Requests that have something to do."""
    begun = select(Erasure.id).where(Erasure.state == "begun")
    waiting = select(ErasureStep.erasure_id).where(
        ErasureStep.state == "waiting",
        ErasureStep.due_at <= now,
        or_(ErasureStep.lease_until.is_(None), ErasureStep.lease_until < now),
    )
    busy = select(ErasureStep.erasure_id).where(ErasureStep.state != "done")
    ready = select(Erasure.id).where(Erasure.state == "open", Erasure.id.not_in(busy))
    return sorted({*session.scalars(begun), *session.scalars(waiting), *session.scalars(ready)})


def due_steps(session: Session, erasure_id: str, now: datetime) -> list[int]:
    """The steps of a request that can be tried now."""
    query = select(ErasureStep.id).where(
        ErasureStep.erasure_id == erasure_id,
        ErasureStep.state == "waiting",
        ErasureStep.due_at <= now,
    )
    return list(session.scalars(query.order_by(ErasureStep.id)))


def claim(tx: Tx, step_id: int, now: datetime, lease: float) -> ErasureStep | None:
    """Takes a step; None where another worker has it or it is done."""
    free = or_(ErasureStep.lease_until.is_(None), ErasureStep.lease_until < now)
    mine = tx.scalar(
        update(ErasureStep)
        .where(ErasureStep.id == step_id, ErasureStep.state == "waiting", free)
        .values(
            lease_until=now + timedelta(seconds=lease),
            attempts=ErasureStep.attempts + 1,
        )
        .returning(ErasureStep.id)
    )
    return None if mine is None else tx.get(ErasureStep, step_id, populate_existing=True)


def is_answered(session: Session, erasure_id: str) -> bool:
    """Whether every system has answered."""
    query = select(ErasureStep.id).where(
        ErasureStep.erasure_id == erasure_id, ErasureStep.state != "done"
    )
    return session.scalar(query.limit(1)) is None


def note_return(
    tx: Tx, erasure_id: str, system_id: int, object_name: str, remote_id: str, now: datetime
) -> None:
    """A record was turned away; again is counted. A scratch copy knows no requests."""
    if tx.scalar(select(Erasure.id).where(Erasure.id == erasure_id)) is None:
        return
    new = insert_into(tx, ErasureReturn).values(
        erasure_id=erasure_id,
        system_id=system_id,
        object=object_name,
        remote_id=remote_id,
        times=1,
        state="open",
        first_at=now,
        last_at=now,
        decided_by="",
    )
    tx.execute(
        new.on_conflict_do_update(
            index_elements=["erasure_id", "system_id", "object", "remote_id"],
            set_={"times": ErasureReturn.times + 1, "last_at": now, "state": "open"},
        )
    )


def living(session: Session, since: datetime | None = None) -> Iterator[list[Row[Any]]]:
    """All customers and contacts that stand, or changed since a moment, in parts: id, entity,
    values, when they were made.
    """
    last = ""
    while True:
        query = select(Golden.id, Golden.entity, Golden.values, Golden.created_at).where(
            Golden.state.in_(("live", "deleted", "merged")),
            Golden.entity.in_(("customer", "contact")),
            Golden.id > last,
        )
        if since is not None:
            query = query.where(Golden.updated_at >= since)
        part = list(session.execute(query.order_by(Golden.id).limit(CHUNK)))
        if not part:
            return
        yield part
        last = part[-1].id


# ---- what the hub itself holds ------------------------------------------------


def purge(tx: Tx, records: Sequence[Golden], request: str, now: datetime) -> dict[str, int]:
    """Removes or blanks everything the hub holds about these records; returns what and how much.

    What stays is an empty golden record, so that documents have something to belong to, and a
    history of who did what when, without the values.
    """
    if tx.get_bind().dialect.name == "sqlite":
        tx.execute(text("PRAGMA secure_delete = ON"))  # deleted bytes are overwritten
    ids = [record.id for record in records]
    own = list(tx.scalars(select(Link).where(Link.golden_id.in_(ids))))
    texts = _texts(records, own)
    places = {(link.system_id, link.object, link.remote_id) for link in own if link.remote_id}
    counts = {
        "records": len(records),
        "links": len(own),
        "changes": _blank_changes(tx, ids),
        "deliveries": sum(_of_place(tx, place) for place in sorted(places)),
        "letters": _blank_letters(tx, ids, places),
        "reviews": _drop_reviews(tx, ids),
        "plans": _blank_plans(tx, texts),
    }
    for link in own:
        _blank_link(link)
    for record in records:
        _blank_golden(tx, record, request, now)
    tx.flush()
    return {name: count for name, count in counts.items() if count}


def _texts(records: Sequence[Golden], own: Sequence[Link]) -> set[str]:
    """The values of text by which copies elsewhere are recognised."""
    held = [record.values for record in records]
    held += [part for link in own for part in (link.shadow, link.pushed, link.pushing or {})]
    impersonal = {"stage", "kind", "industry", "currency", "language", "source", "owner"}
    return {
        str(value)
        for values in held
        for path, value in values.items()
        if path not in impersonal and isinstance(value, str) and len(value) >= _SHORTEST
    }


def _blank_link(link: Link) -> None:
    link.state, link.is_primary, link.digest, link.version = ERASED, False, "", None
    link.shadow, link.pushed, link.pushing = {}, {}, None
    link.modified_at, link.doubt_since = None, None


def _blank_golden(tx: Tx, record: Golden, request: str, now: datetime) -> None:
    record.values, record.provenance = {}, {}
    record.name, record.search = "", ""
    record.state, record.held_until = ERASED, None
    record.version, record.updated_at = record.version + 1, now
    tx.add(
        Change(golden_id=record.id, entity=record.entity, op=ERASED, new=request, at=now, rule="")
    )


def _blank_changes(tx: Tx, ids: Sequence[str]) -> int:
    done = tx.execute(
        update(Change)
        .where(Change.golden_id.in_(ids), Change.op != ERASED)
        .values(old=None, new=None, remote_id=None)
        .execution_options(synchronize_session=False)
    )
    tx.execute(delete(MatchKey).where(MatchKey.golden_id.in_(ids)))
    tx.execute(delete(Dirty).where(Dirty.golden_id.in_(ids)))
    return int(getattr(done, "rowcount", 0))


def _of_place(tx: Tx, place: tuple[int, str, str | None]) -> int:
    """Deliveries of one remote record, waiting or done, and what plans have read of it."""
    gone = 0
    for table in (Inbox, Staged):
        system_id, object_name, remote_id = place
        done = tx.execute(
            delete(table).where(
                table.system_id == system_id,
                table.object == object_name,
                table.remote_id == remote_id,
            )
        )
        gone += int(getattr(done, "rowcount", 0))
    return gone


def _blank_letters(
    tx: Tx, ids: Sequence[str], places: Collection[tuple[int, str, str | None]]
) -> int:
    """What could not be processed: closed, with nothing in it."""
    letters = set(tx.scalars(select(DeadLetter.id).where(DeadLetter.golden_id.in_(ids))))
    for system_id, object_name, remote_id in places:
        letters.update(
            tx.scalars(
                select(DeadLetter.id).where(
                    DeadLetter.system_id == system_id,
                    DeadLetter.object == object_name,
                    DeadLetter.remote_id == remote_id,
                )
            )
        )
    if letters:
        tx.execute(
            update(DeadLetter)
            .where(DeadLetter.id.in_(letters))
            .values(
                state="discarded",
                message="erased",
                value=None,
                payload=None,
                traceback="",
                remote_id=None,
            )
        )
    return len(letters)


def _drop_reviews(tx: Tx, ids: Sequence[str]) -> int:
    """Conflicts, candidates, merges and guards of these records: there is nothing to decide."""
    gone = 0
    for query in (
        delete(Conflict).where(Conflict.golden_id.in_(ids)),
        delete(Candidate).where(or_(Candidate.first_id.in_(ids), Candidate.second_id.in_(ids))),
        delete(Merge).where(or_(Merge.winner_id.in_(ids), Merge.loser_id.in_(ids))),
    ):
        gone += int(getattr(tx.execute(query), "rowcount", 0))
    guards = tx.scalars(select(Guard).where(Guard.kind.in_(_SINGLE)))
    for guard in guards:
        if set(guard.facts.get("golden", ())) & set(ids):
            tx.delete(guard)
            gone += 1
    return gone


def _blank_plans(tx: Tx, texts: Collection[str]) -> int:
    """Samples and problems in the summaries of plans."""
    blanked = 0
    for plan_id, shown in tx.execute(select(Plan.id, cast(Plan.summary, String))).all():
        if not any(one in _unescaped(shown) for one in texts):
            continue
        plan = tx.get_one(Plan, plan_id)
        plan.summary = without(plan.summary, texts)
        blanked += 1
    return blanked


def _unescaped(shown: str | None) -> str:
    return json.dumps(json.loads(shown), ensure_ascii=False) if shown else ""


def without(content: Any, texts: Collection[str]) -> Any:
    """JSON content without the items of lists, and the texts, that hold one of these texts."""
    if isinstance(content, dict):
        return {name: without(part, texts) for name, part in content.items()}
    if isinstance(content, list):
        return [part for part in content if not _holds(part, texts)]
    return "" if isinstance(content, str) and _holds(content, texts) else content


def _holds(part: Any, texts: Collection[str]) -> bool:
    shown = json.dumps(part, ensure_ascii=False, default=str)
    return any(json.dumps(one, ensure_ascii=False)[1:-1] in shown for one in texts)
