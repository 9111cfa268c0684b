"""Links between golden and remote records."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sync.store.tables import Link

CHUNK = 500


def by_remote(
    session: Session, system_id: int, object_name: str, remote_ids: Iterable[str]
) -> dict[str, Link]:
    """Links of remote records, by remote id."""
    found: dict[str, Link] = {}
    ids = list(dict.fromkeys(remote_ids))
    for start in range(0, len(ids), CHUNK):
        rows = session.scalars(
            select(Link).where(
                Link.system_id == system_id,
                Link.object == object_name,
                Link.remote_id.in_(ids[start : start + CHUNK]),
            )
        )
        found.update({str(link.remote_id): link for link in rows})
    return found


class Sight(NamedTuple):
    """What tells whether a record that is seen now has moved since."""

    state: str
    digest: str
    seen_at: datetime | None


def sights(
    session: Session, system_id: int, object_name: str, remote_ids: Iterable[str]
) -> dict[str, Sight]:
    """How remote records were last seen, by remote id; without the bulk of their links."""
    found: dict[str, Sight] = {}
    ids = list(dict.fromkeys(remote_ids))
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(Link.remote_id, Link.state, Link.digest, Link.seen_at).where(
                Link.system_id == system_id,
                Link.object == object_name,
                Link.remote_id.in_(ids[start : start + CHUNK]),
            )
        )
        found.update({str(row[0]): Sight(*row[1:]) for row in rows})
    return found


def unheard(session: Session) -> dict[tuple[int, str], datetime]:
    """When a write was last done whose result no poll has read back yet, by system and object."""
    sent = select(Link.system_id, Link.object, func.max(Link.seen_at)).where(
        Link.pushing.is_not(None), Link.state == "live"
    )
    rows = session.execute(sent.group_by(Link.system_id, Link.object))
    return {(system_id, name): at for system_id, name, at in rows if at is not None}


def by_hub_key(
    session: Session, system_id: int, object_name: str, keys: Iterable[str]
) -> dict[str, Link]:
    """Links of one system by hub key."""
    rows = session.scalars(
        select(Link).where(
            Link.system_id == system_id,
            Link.object == object_name,
            Link.hub_key.in_(list(dict.fromkeys(keys))),
        )
    )
    return {link.hub_key: link for link in rows}


def being_created(
    session: Session, system_id: int, object_name: str, keys: Collection[str], since: datetime
) -> set[str]:
    """Which of these hub keys belong to creates whose answers are awaited since then or later."""
    if not keys:
        return set()
    rows = session.scalars(
        select(Link.hub_key).where(
            Link.system_id == system_id,
            Link.hub_key.in_(keys),
            Link.object == object_name,
            Link.state == "in_doubt",
            Link.doubt_since >= since,
        )
    )
    return set(rows)


def of_golden(
    session: Session, golden_ids: Collection[str], system_id: int | None = None
) -> dict[str, list[Link]]:
    """All links of golden records, oldest first."""
    found: dict[str, list[Link]] = {golden_id: [] for golden_id in golden_ids}
    ids = list(found)
    for start in range(0, len(ids), CHUNK):
        query = select(Link).where(Link.golden_id.in_(ids[start : start + CHUNK]))
        if system_id is not None:
            query = query.where(Link.system_id == system_id)
        for link in session.scalars(query.order_by(Link.id)):
            found[link.golden_id].append(link)
    return found


_SEATS = select(Link.golden_id, Link.system_id, Link.object).where(
    Link.golden_id.in_(bindparam("ids", expanding=True)), Link.state.in_(("live", "in_doubt"))
)


def seats(session: Session, golden_ids: Collection[str]) -> dict[str, set[tuple[int, str]]]:
    """(system, object) of the records that golden records are linked to."""
    found: dict[str, set[tuple[int, str]]] = {golden_id: set() for golden_id in golden_ids}
    ids = sorted(found)
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(_SEATS, {"ids": ids[start : start + CHUNK]})
        for golden_id, system_id, object_name in rows:
            found[golden_id].add((system_id, object_name))
    return found


def asked(session: Session, golden_ids: Iterable[str], system_id: int) -> dict[str, list[Link]]:
    """Duplicates of golden records that one system has yet to merge, or to settle."""
    found: dict[str, list[Link]] = {}
    ids = list(dict.fromkeys(golden_ids))
    for start in range(0, len(ids), CHUNK):
        query = select(Link).where(
            Link.golden_id.in_(ids[start : start + CHUNK]),
            Link.system_id == system_id,
            Link.is_primary.is_(False),
            Link.state.in_(("merging", "in_doubt")),
        )
        for link in session.scalars(query.order_by(Link.id)):
            found.setdefault(link.golden_id, []).append(link)
    return found


def add(tx: Session, new: Collection[Link]) -> None:
    """Stores links; they have their ids then.

    SQLite gives an id for one inserted row at a time. Whoever writes there is the only writer, so
    ids are counted on from the highest one, and all rows go in one statement.
    """
    fresh = [link for link in new if link.id is None]
    if fresh and tx.get_bind().dialect.name == "sqlite":
        highest = tx.scalar(select(func.max(Link.id))) or 0
        for number, link in enumerate(fresh, highest + 1):
            link.id = number
    tx.add_all(new)
    tx.flush()


def refresh(session: Session, known: Collection[Link]) -> None:
    """Reads links again, after their golden records were locked: only then do they stand still.

    SQLite has one writer, which sees what there is.
    """
    if not known or session.get_bind().dialect.name == "sqlite":
        return
    ids = [link.id for link in known]
    for start in range(0, len(ids), CHUNK):
        query = select(Link).where(Link.id.in_(ids[start : start + CHUNK]))
        session.scalars(query.execution_options(populate_existing=True)).all()


def resolve(
    session: Session, system_id: int, objects: Collection[str], remote_ids: Collection[str]
) -> dict[str, str]:
    """Golden ids that remote records of these objects are linked to, by remote id."""
    if not (objects and remote_ids):
        return {}
    found: dict[str, str] = {}
    ids = list(remote_ids)
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(Link.remote_id, Link.golden_id).where(
                Link.system_id == system_id,
                Link.object.in_(objects),
                Link.remote_id.in_(ids[start : start + CHUNK]),
                Link.state != "unlinked",
            )
        )
        found.update({str(remote_id): golden_id for remote_id, golden_id in rows})
    return found


def live_ids(session: Session, system_id: int, object_name: str) -> set[str]:
    """The remote records of an object that are linked."""
    found = select(Link.remote_id).where(
        Link.system_id == system_id, Link.object == object_name, Link.state == "live"
    )
    return {str(remote_id) for remote_id in session.scalars(found)}


def live_count(session: Session, system_id: int, object_name: str | None = None) -> int:
    """How many remote records of a system are linked."""
    query = (
        select(func.count())
        .select_from(Link)
        .where(Link.system_id == system_id, Link.state == "live")
    )
    if object_name is not None:
        query = query.where(Link.object == object_name)
    return session.scalar(query) or 0
