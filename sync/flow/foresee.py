"""What a merge would keep, write and move: worked out in a transaction that is rolled back."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from sync.core.unify import Choice, Pick
from sync.flow import unify
from sync.flow.hub import Hub
from sync.flow.intent import Intent, decide
from sync.gateway.systems import OpenSystem, Participant
from sync.store import goldens, links
from sync.store.session import Tx
from sync.store.tables import INTERACTIVE, Dirty, Golden, Link, System

_SHOWN = 200  # children whose writes a preview works out


@dataclass(frozen=True, slots=True)
class Effect:
    """What a merge does to one remote record. `fields`: path -> (held there now, to be written).

    `op`: create, update, archive, unlink, relink, merge (into `other_id`), duplicate (stays, as
    its system cannot merge).
    """

    system: str
    object: str
    op: str
    remote_id: str | None
    other_id: str | None = None
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Preview:
    """What a merge would do. `choices`: for each loser, unit by unit."""

    winner: Golden
    losers: list[Golden]
    choices: dict[str, list[Choice]]
    values: dict[str, Any]
    effects: list[Effect] = field(default_factory=list)
    children: dict[str, int] = field(default_factory=dict)  # entity -> how many move
    child_writes: dict[str, int] = field(default_factory=dict)  # system -> how many writes
    unknown: list[str] = field(default_factory=list)  # systems that cannot be asked now
    warnings: list[tuple[str, str]] = field(default_factory=list)  # (code, fact)


class _ScratchError(Exception):
    """Ends a scratch transaction without a trace."""


def preview_merge(
    hub: Hub,
    winner_id: str,
    loser_ids: Sequence[str],
    overrides: Mapping[str, Pick] | None = None,
) -> Preview:
    """The survivor field by field and what each system would see, worked out and rolled back."""
    opened, unknown = _open_all(hub)
    systems = hub.participants()
    found: list[Preview] = []
    try:
        with hub.database.write() as tx:
            found.append(_preview(hub, tx, winner_id, loser_ids, overrides or {}, opened, systems))
            raise _ScratchError  # noqa: TRY301  this is how a transaction is rolled back
    except _ScratchError:
        found[0].unknown = unknown
        return found[0]


def _open_all(hub: Hub) -> tuple[list[OpenSystem], list[str]]:
    opened, unknown = [], []
    ids = [participant.id for participant in hub.participants()]
    with hub.database.read() as session:
        rows = session.execute(
            select(System.id, System.name).where(System.id.in_(ids)).order_by(System.id)
        ).all()
    for system_id, name in rows:
        try:
            opened.append(hub.systems.open(system_id))
        except Exception:  # noqa: BLE001  whatever is wrong there, the preview says so and goes on
            unknown.append(name)
    return opened, unknown


def _preview(
    hub: Hub,
    tx: Tx,
    winner_id: str,
    loser_ids: Sequence[str],
    overrides: Mapping[str, Pick],
    opened: Sequence[OpenSystem],
    systems: Sequence[Participant],
) -> Preview:
    before: list[Golden] = []
    choices: dict[str, list[Choice]] = {}
    moved: list[Golden] = []
    touched: set[int] = set()
    for loser_id in loser_ids:
        winner, loser = unify.mergeable(tx, winner_id, loser_id)
        before = before or [_copy(winner)]
        before.append(_copy(loser))
        done = unify.merge_in(hub, tx, (winner_id, loser_id), "", overrides, systems)
        choices[loser_id] = done.survivor.choices
        moved.extend(done.moved)
        touched.update(one["id"] for one in done.row.undo["links"])
    if not before:
        raise unify.CannotUnifyError("There is nothing to merge.", code="nothing_to_merge")
    winner = goldens.load(tx, [winner_id])[winner_id]
    out = Preview(before[0], before[1:], choices, dict(winner.values))
    out.children = dict(Counter(child.entity for child in moved if child.state == "live"))
    out.warnings = _warnings(before)
    for system in opened:
        _add_effects(hub, tx, system, winner, moved, touched, out)
    return out


def _copy(golden: Golden) -> Golden:
    return Golden(
        id=golden.id,
        entity=golden.entity,
        state=golden.state,
        values=dict(golden.values),
        provenance=dict(golden.provenance),
        version=golden.version,
        name=golden.name,
        created_at=golden.created_at,
        updated_at=golden.updated_at,
    )


def _warnings(records: Sequence[Golden]) -> list[tuple[str, str]]:
    """What speaks loudly against a merge."""
    found: list[tuple[str, str]] = []
    first = records[0].values
    for other in records[1:]:
        for path, value in other.values.items():
            hard = path == "kind" or path.startswith("identifiers[")
            if hard and value and first.get(path) and first[path] != value:
                found.append(("kind" if path == "kind" else "identifier", path))
    return sorted(set(found))


def _add_effects(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    winner: Golden,
    moved: Sequence[Golden],
    touched: Collection[int],
    out: Preview,
) -> None:
    own = links.of_golden(tx, [winner.id], system.id)[winner.id]
    main = {link.object: link.remote_id for link in own if unify.holds_seat(link)}
    for link in own:
        if link.id in touched and link.state in {*unify.STANDING, unify.MERGING}:
            out.effects.append(
                Effect(system.name, link.object, _fate(link), link.remote_id, main.get(link.object))
            )
    children = [child for child in moved if child.state == "live"][:_SHOWN]
    rows = [_row(record, system) for record in (winner, *children)]
    wanted = decide(hub, tx, system, rows)
    out.effects.extend(
        _written(system, intent) for intent in wanted.intents if intent.golden.id == winner.id
    )
    count = sum(intent.golden.id != winner.id for intent in wanted.intents)
    if count:
        out.child_writes[system.name] = count


def _fate(link: Link) -> str:
    if link.is_primary:
        return "relink"
    return "merge" if link.state in {unify.MERGING, "in_doubt", "merged"} else "duplicate"


def _row(golden: Golden, system: OpenSystem) -> Dirty:
    """A dirty row that nobody stores."""
    return Dirty(
        id=0,
        system_id=system.id,
        golden_id=golden.id,
        entity=golden.entity,
        reason="preview",
        lane=INTERACTIVE,
        generation=1,
        attempts=0,
    )


def _written(system: OpenSystem, intent: Intent) -> Effect:
    shadow = intent.link.shadow if intent.link else {}
    remote_id = intent.link.remote_id if intent.link else None
    fields = {path: (shadow.get(path), intent.sent[path]) for path in intent.paths}
    return Effect(system.name, intent.spec.object, intent.op, remote_id, None, fields)
