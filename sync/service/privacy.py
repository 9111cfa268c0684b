"""Erasing a person on request: what it would do, how far it is, the certificate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.sdk import registry
from connectors.sdk.contract import ErasesRecords, WritesRecords
from connectors.sdk.errors import SetupError
from sync.flow import erase as flow
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.service.paging import Page, page_of
from sync.store import erasures, goldens
from sync.store.suppression import SuppressionError
from sync.store.tables import Erasure, ErasureReturn, ErasureStep, Golden, Link, System

STATES = ("begun", "open", "done")
OUTCOMES = ("deleted", "masked", "gone", "refused", "by hand")
ACTIONS = ("delete", "mask", "hand", "later")
_GOING = ("live", "in_doubt")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One remote record: delete, mask (its documents have to stay), hand, or later (stopped)."""

    system: str
    object: str
    remote_id: str
    entity: str
    action: str
    documents: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing a record would do; nothing has been done."""

    golden_id: str
    entity: str
    name: str
    contacts: int  # that go with a customer
    records: tuple[Foreseen, ...]
    kept: Mapping[str, int]  # commercial documents by kind
    shared: tuple[flow.Shared, ...]  # facts that others have, too


@dataclass(frozen=True, slots=True)
class StepView:
    """One remote record of a request."""

    id: int
    system: str
    object: str
    entity: str
    remote_id: str | None  # until it is done
    state: str
    outcome: str
    note: str
    documents: int
    attempts: int
    due_at: datetime
    done_at: datetime | None
    done_by: str


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A record that was turned away."""

    id: int
    system: str
    object: str
    remote_id: str
    times: int
    state: str
    first_at: datetime
    last_at: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One line of the list of requests."""

    id: str
    golden_id: str
    entity: str
    state: str
    reference: str
    actor: str
    requested_at: datetime
    done_at: datetime | None
    lifted_at: datetime | None
    waiting: int  # steps that are not done
    returns: int  # records at the door that nobody has decided about


@dataclass(frozen=True, slots=True)
class ErasureView:
    """A request with everything that is known of it."""

    row: ErasureRow
    steps: tuple[StepView, ...]
    returns: tuple[ReturnView, ...]
    own: Mapping[str, Any]
    listed: int
    certificate: Mapping[str, Any]


def preview(hub: Hub, golden_id: str) -> Preview:
    """What each system will do, and what stays."""
    with hub.database.read() as session:
        golden = _record(session, golden_id)
        scope = erasures.scope(session, golden)
        ids = [record.id for record in scope]
        entity = {record.id: record.entity for record in scope}
        kept_there = erasures.documents(session, ids)
        rows = session.execute(
            select(Link, System)
            .join(System, System.id == Link.system_id)
            .where(Link.golden_id.in_(ids), Link.remote_id.is_not(None))
            .order_by(System.id, Link.id)
        ).all()
        records = tuple(
            _foreseen(link, system, entity[link.golden_id], kept_there)
            for link, system in rows
            if link.state in _GOING
        )
        return Preview(
            golden_id=golden.id,
            entity=golden.entity,
            name=golden.name,
            contacts=sum(
                record.entity == "contact" and record.state == "live" and record.id != golden.id
                for record in scope
            ),
            records=records,
            kept=erasures.kept(session, ids),
            shared=tuple(flow.shared_facts(session, scope)),
        )


def erase(hub: Hub, golden_id: str, *, actor: str, reference: str = "") -> ErasureView:
    """Begins at once; what cannot be done now is tried again until it is done."""
    with hub.database.read() as session:
        _record(session, golden_id)
    try:
        request = flow.begin(hub, golden_id, actor=actor, reference=reference.strip())
    except SuppressionError as error:
        raise ServiceError(str(error), code="suppression_list", reason=str(error)) from error
    return get_erasure(hub, request)


def list_erasures(
    hub: Hub, *, state: str | None = None, page: int = 1, limit: int = 25
) -> Page[ErasureRow]:
    """Requests, the newest first."""
    query = select(Erasure).order_by(Erasure.requested_at.desc(), Erasure.id.desc())
    if state == "open":
        query = query.where(Erasure.state != "done")
    elif state:
        query = query.where(Erasure.state == state)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        rows = [row[0] for row in found.rows]
        return found.with_rows(_rows(session, rows))


def get_erasure(hub: Hub, erasure_id: str) -> ErasureView:
    """One request. NotFoundError where there is none."""
    with hub.database.read() as session:
        row = _erasure(session, erasure_id)
        names = dict(session.execute(select(System.id, System.name)).all())
        return ErasureView(
            row=_rows(session, [row])[0],
            steps=tuple(_step(step) for step in erasures.steps(session, row.id)),
            returns=tuple(_return(one, names) for one in erasures.returns(session, row.id)),
            own=dict(row.own),
            listed=len(row.digests),
            certificate=dict(row.certificate),
        )


def of_record(hub: Hub, golden_id: str) -> str | None:
    """The request that has erased a record."""
    with hub.database.read() as session:
        row = erasures.of_record(session, golden_id)
        return row.id if row is not None else None


def retry(hub: Hub, erasure_id: str) -> ErasureView:
    """Asks every system again that has not answered."""
    with hub.database.read() as session:
        _erasure(session, erasure_id)
    flow.retry(hub, erasure_id)
    return get_erasure(hub, erasure_id)


def confirm(hub: Hub, step_id: int, *, actor: str, note: str = "") -> ErasureView:
    """A person has erased a record where the hub cannot."""
    with hub.database.read() as session:
        step = session.get(ErasureStep, step_id)
        if step is None:
            raise NotFoundError(f"There is no step {step_id}.", code="no_erasure", id=step_id)
        erasure_id = step.erasure_id
    flow.confirm(hub, step_id, actor=actor, note=note)
    return get_erasure(hub, erasure_id)


def lift(hub: Hub, erasure_id: str, *, actor: str) -> ErasureView:
    """The person may come back, by their own wish."""
    with hub.database.read() as session:
        _erasure(session, erasure_id)
    flow.lift(hub, erasure_id, actor=actor)
    return get_erasure(hub, erasure_id)


def decide_return(hub: Hub, return_id: int, *, allow: bool, actor: str) -> ErasureView:
    """A record at the door: somebody else (it comes in), or erased where it stands."""
    with hub.database.read() as session:
        if session.get(ErasureReturn, return_id) is None:
            raise NotFoundError(f"There is no record {return_id}.", code="no_erasure", id=return_id)
    erasure_id = flow.decide_return(hub, return_id, allow=allow, actor=actor)
    return get_erasure(hub, erasure_id)


def _record(session: Session, golden_id: str) -> Golden:
    golden = session.get(Golden, golden_id)
    if golden is None:
        raise NotFoundError("There is no such record.", code="no_record", id=golden_id)
    golden = goldens.survivor(session, golden)
    if golden.entity not in {"customer", "contact"}:
        raise ServiceError(
            "Orders, invoices and payments have to be kept; erase their customer instead.",
            code="documents_stay",
        )
    if golden.state == erasures.ERASED:
        raise ServiceError("This record was erased already.", code="erased_already")
    return golden


def _foreseen(link: Link, system: System, entity: str, kept: Mapping[int, int]) -> Foreseen:
    documents = kept.get(system.id, 0) if entity == "customer" else 0
    return Foreseen(
        system=system.name,
        object=link.object,
        remote_id=str(link.remote_id),
        entity=entity,
        action=_action(system, documents),
        documents=documents,
    )


def _action(system: System, documents: int) -> str:
    if system.state != "live":
        return "later"
    try:
        connector = registry.get(system.kind)
    except SetupError:
        return "hand"
    if issubclass(connector, ErasesRecords):
        return "delete"
    if not issubclass(connector, WritesRecords):
        return "hand"
    return "mask" if documents or not connector.can_delete else "delete"


def _erasure(session: Session, erasure_id: str) -> Erasure:
    row = session.get(Erasure, erasure_id)
    if row is None:
        raise NotFoundError(f"There is no request {erasure_id}.", code="no_erasure", id=erasure_id)
    return row


def _rows(session: Session, rows: Sequence[Erasure]) -> list[ErasureRow]:
    ids = [row.id for row in rows]
    waiting = dict(
        session.execute(
            select(ErasureStep.erasure_id, func.count())
            .where(ErasureStep.erasure_id.in_(ids), ErasureStep.state != "done")
            .group_by(ErasureStep.erasure_id)
        ).all()
    )
    back = dict(
        session.execute(
            select(ErasureReturn.erasure_id, func.count())
            .where(ErasureReturn.erasure_id.in_(ids), ErasureReturn.state == "open")
            .group_by(ErasureReturn.erasure_id)
        ).all()
    )
    return [
        ErasureRow(
            id=row.id,
            golden_id=row.golden_id,
            entity=row.entity,
            state=row.state,
            reference=row.reference,
            actor=row.actor,
            requested_at=row.requested_at,
            done_at=row.done_at,
            lifted_at=row.lifted_at,
            waiting=waiting.get(row.id, 0),
            returns=back.get(row.id, 0),
        )
        for row in rows
    ]


def _step(step: ErasureStep) -> StepView:
    return StepView(
        id=step.id,
        system=step.system,
        object=step.object,
        entity=step.entity,
        remote_id=step.remote_id,
        state=step.state,
        outcome=step.outcome,
        note=step.note,
        documents=step.documents,
        attempts=step.attempts,
        due_at=step.due_at,
        done_at=step.done_at,
        done_by=step.done_by,
    )


def _return(row: ErasureReturn, names: Mapping[int, str]) -> ReturnView:
    return ReturnView(
        id=row.id,
        system=names.get(row.system_id, str(row.system_id)),
        object=row.object,
        remote_id=row.remote_id,
        times=row.times,
        state=row.state,
        first_at=row.first_at,
        last_at=row.last_at,
        decided_by=row.decided_by,
    )
