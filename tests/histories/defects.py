"""Deliberate defects of the engine, each of which the histories have to find.

`found_by` is a seed below 1,000 whose history shows the defect and is clean without it, or a
history of its own; `python -m tests.histories.defects [NAME …]` looks for the first seed anew.

Three defects lose a change between two polls, and no such seed shows them: a poll lists again what
changed in the minute before the last one, so that what was lost is mended as long as no more time
passes. Random histories wait that long in just these places too rarely.
"""

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from connectors.memory import Memory
from connectors.sdk.contract import Hint
from sync.core import merge, writeset
from sync.flow import absorb, dispatch, hear, intent, poll, settle, take_in, vanish
from sync.gateway.systems import Systems
from sync.store import dirty
from tests.histories import search, steps
from tests.histories.company import NAMES, Profile, make_profile
from tests.histories.steps import Step

TWO_MINUTES: Step = ("wait", 0, 4, 0)  # more than a poll's listing overlaps the last one
EVERYTHING: Step = ("everything", 0, 0, 0)
POLL: Step = ("poll", 0, 0, 0)
TAKE_IN: Step = ("take_in", 0, 0, 0)
EDIT: Step = ("edit", 0, 0, 2)  # the first customer's notes, in the first system
EDIT_BACK: Step = ("edit", 0, 0, 1)  # to the second value that was typed there
BEGIN: tuple[Step, ...] = (("create", 0, 0, 0), EVERYTHING)
CRASHES: tuple[Step, ...] = tuple(
    step
    for place in range(8)  # one of them is between the two commits
    for step in (("create", 0, 0, 0), TWO_MINUTES, POLL, ("crash", 0, place, 0), TAKE_IN,
                 TWO_MINUTES, TAKE_IN)
)  # fmt: skip
POST_IN_DISORDER: Step = ("deliver", 0, 3, 0)


@dataclass(frozen=True)
class Defect:
    name: str
    found_by: int | tuple[Step, ...]
    switch_on: Callable[[pytest.MonkeyPatch], None]

    def history(self) -> tuple[Profile, list[Step]]:
        """The history that shows it."""
        if isinstance(self.found_by, int):
            return make_profile(self.found_by), steps.make(self.found_by)
        plain = Profile({n: {} for n in NAMES}, dict.fromkeys(NAMES, "unlink"), batch=1, guard=10)
        return plain, list(self.found_by)


def _ignore_pushed(patch: pytest.MonkeyPatch) -> None:
    """The base has one side only: a lossy copy looks like somebody's edit."""
    patch.setattr(
        merge, "_hub_moved",
        lambda path, golden, base: golden.get(path) != base.shadow.get(path),
    )  # fmt: skip
    patch.setattr(merge, "_theirs", lambda path, incoming, base, moved: incoming[path])


def _write_until_it_reads_the_same(patch: pytest.MonkeyPatch) -> None:
    """A system that stores a short form is told again and again."""
    patch.setattr(
        writeset, "_differs",
        lambda path, golden, expected, shadow, pushed: expected.get(path) != shadow.get(path),
    )  # fmt: skip
    plain = intent._candidates
    patch.setattr(
        intent, "_candidates",
        lambda golden, spec, link, values: plain(golden, spec, link, values) if link is None
        else [path for path in spec.update_paths if path in values],
    )  # fmt: skip


def _forget_pushing(patch: pytest.MonkeyPatch) -> None:
    """Nothing is noted before a write: its echo after a crash looks like an edit."""
    original = absorb.merge_fields
    patch.setattr(
        absorb, "merge_fields",
        lambda entity, golden, incoming, base, **rest: original(
            entity, golden, incoming, replace(base, pushing=None), **rest
        ),
    )  # fmt: skip


def _settle_before_the_write(patch: pytest.MonkeyPatch) -> None:
    """The dirty row goes before the write is made: a crash in between forgets it."""
    original = dispatch._announce

    def announce(hub, system, intents):
        ready = original(hub, system, intents)
        with hub.database.write() as tx:
            rows = [(i.row.id, i.row.generation) for i in ready]
            token = intents[0].row.lease_token or ""
            dirty.settle(tx, rows, token)
        return ready

    patch.setattr(dispatch, "_announce", announce)


def _finish_before_taking_in(patch: pytest.MonkeyPatch) -> None:
    """The inbox is acknowledged before the record is in the golden record."""
    original = take_in.absorb_batch

    def absorb_batch(hub, system, batch):
        with hub.database.write() as tx:
            rows = [(row.id, row.generation) for row in batch.rows]
            take_in.inbox.finish(tx, rows, batch.token, hub.now())
        original(hub, system, batch)

    patch.setattr(take_in, "absorb_batch", absorb_batch)


def _believe_old_pages(patch: pytest.MonkeyPatch) -> None:
    """What a poll read is believed, however old it is."""
    patch.setattr(poll.inbox, "carried", lambda *_: set())


def _skip_reading_before_writing(patch: pytest.MonkeyPatch) -> None:
    """A write covers what was edited meanwhile."""
    patch.setattr(
        dispatch, "_read_before_write",
        lambda hub, system, intents, batch: [i for i in intents if i.op != "check"],
    )  # fmt: skip


def _never_look_for_a_doubted_create(patch: pytest.MonkeyPatch) -> None:
    """A create whose answer was lost is simply made again.

    What a listing shows needs no looking up: it is heard before anything is created. So this is
    tried with systems that cannot be listed at that moment.
    """
    _create_unheard(patch)
    patch.setattr(settle, "settle_doubts", lambda hub, system, intents, batch: [
        i for i in intents if i.op != "find"
    ])  # fmt: skip


def _create_unheard(patch: pytest.MonkeyPatch) -> None:
    """A customer entered in two systems at once is doubled."""
    patch.setattr(hear, "deaf_objects", lambda *_: {})


def _ignore_generations(patch: pytest.MonkeyPatch) -> None:
    """A pair that was marked again during a write is forgotten."""
    original = dirty.settle

    def settle_all(tx, rows, token):
        ids = [row_id for row_id, _ in rows]
        found = tx.query(dirty.Dirty.id, dirty.Dirty.generation).filter(dirty.Dirty.id.in_(ids))
        original(tx, [(row_id, generation) for row_id, generation in found], token)

    patch.setattr(dirty, "settle", settle_all)


def _let_blanks_win(patch: pytest.MonkeyPatch) -> None:
    """An emptied field is never logged: the value that a rule kept out is nowhere."""
    patch.setattr(merge, "_keep", lambda ours, theirs, rule, out: None)


def _forget_deletes(patch: pytest.MonkeyPatch) -> None:
    """Tombstones are thrown away."""
    patch.setattr(
        vanish, "take_tombstones",
        lambda hub, tx, system, gone, absorber: vanish.Vanished(done=list(gone)),
    )  # fmt: skip


def _mark_live_systems_only(patch: pytest.MonkeyPatch) -> None:
    """What changes while a system is paused never reaches it."""
    participants = Systems.participants

    def live(self):
        return [p for p in participants(self) if self.store.facts(p.id)[0].state == "live"]

    patch.setattr(Systems, "participants", live)


def _trust_the_webhook(patch: pytest.MonkeyPatch) -> None:
    """What a webhook carries is taken for the record as it is now."""

    def hints(self, delivery):
        content = json.loads(delivery.body)
        return [
            Hint(each["object"], each["id"], f"{content['delivery']}:{each['id']}", each["record"])
            for each in content["events"]
            if each["event"] != "delete"
        ]

    patch.setattr(Memory, "hints", hints)


DEFECTS = (
    Defect("ignore_pushed", 0, _ignore_pushed),
    Defect("write_until_it_reads_the_same", 500, _write_until_it_reads_the_same),
    Defect("forget_pushing", 919, _forget_pushing),
    Defect("settle_before_the_write", 12, _settle_before_the_write),
    Defect("finish_before_taking_in", (*BEGIN, *CRASHES), _finish_before_taking_in),
    Defect(
        "believe_old_pages",
        (*BEGIN, EDIT, EDIT, EVERYTHING, EDIT, POLL, EDIT_BACK,
         TWO_MINUTES, POLL, TWO_MINUTES, POLL, TAKE_IN),
        _believe_old_pages,
    ),
    Defect("skip_reading_before_writing", 39, _skip_reading_before_writing),
    Defect("never_look_for_a_doubted_create", 0, _never_look_for_a_doubted_create),
    Defect("create_unheard", 0, _create_unheard),
    Defect("ignore_generations", 118, _ignore_generations),
    Defect("log_nothing_that_is_refused", 3, _let_blanks_win),
    Defect("forget_deletes", 0, _forget_deletes),
    Defect("mark_live_systems_only", 15, _mark_live_systems_only),
    Defect(
        "trust_the_webhook",
        (*BEGIN, EDIT, TWO_MINUTES, EVERYTHING, EDIT, TWO_MINUTES, EVERYTHING,
         TWO_MINUTES, EVERYTHING, POST_IN_DISORDER, TAKE_IN),
        _trust_the_webhook,
    ),
)  # fmt: skip


@contextmanager
def switched_on(defect: Defect):
    with pytest.MonkeyPatch.context() as patch:
        defect.switch_on(patch)
        yield


def main() -> int:
    for defect in DEFECTS:
        if sys.argv[1:] and defect.name not in sys.argv[1:]:
            continue
        for seed in range(1000):
            with switched_on(defect):
                found = search.run_seed(seed)
            if found and not search.run_seed(seed):
                print(f"{defect.name}: seed {seed}: {found[0]}", flush=True)
                break
    search.forget_template()
    return 0


if __name__ == "__main__":
    sys.exit(main())
