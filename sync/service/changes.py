"""The change log as people read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.store.tables import Change, Golden, System


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One line of the change log.

    `overruled`: `old` is the value that stayed, `new` the one that was refused. `written`:
    `new` is what was sent, `old` names the source of each value.
    """

    id: int
    golden_id: str
    golden_name: str
    entity: str
    op: str
    path: str | None
    old: Any
    new: Any
    system: str | None
    object: str | None
    remote_id: str | None
    rule: str
    actor: str
    run_id: int | None
    at: datetime


def change_views(session: Session, rows: Sequence[Change]) -> list[ChangeView]:
    """Change rows with the names of their systems and golden records."""
    names = dict(session.execute(select(System.id, System.name)).all())
    ids = {row.golden_id for row in rows}
    called = dict(
        session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(ids))).all()
        if ids
        else ()
    )
    return [
        ChangeView(
            id=row.id,
            golden_id=row.golden_id,
            golden_name=called.get(row.golden_id, ""),
            entity=row.entity,
            op=row.op,
            path=row.path,
            old=row.old,
            new=row.new,
            system=names.get(row.system_id) if row.system_id is not None else None,
            object=row.object,
            remote_id=row.remote_id,
            rule=row.rule,
            actor=row.actor,
            run_id=row.run_id,
            at=row.at,
        )
        for row in rows
    ]
