"""Watching long work: a plan that is made, a plan that is applied, all that waits."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from webui.cli.console import Board, Console, Exit
from webui.cli.failing import CommandError

if TYPE_CHECKING:
    from sync.service.hub import Hub
    from sync.service.plans import PlanView
    from sync.service.work import Rest

LOOK_EVERY = 0.4
PATIENCE = 180.0  # seconds in which nothing may move before the waiting is given up
POLL_AGAIN = 5.0
IMPATIENCE = 25.0  # the same when all that is left has failed and comes back later


@dataclass
class Follower:
    """Does or watches the work of one hub. `has_workers`: other processes do it."""

    hub: "Hub"
    console: Console
    board: Board
    has_workers: bool
    stopping: Callable[[], None] = lambda: None
    patience: float = PATIENCE

    def plan(self, names: Sequence[str], *, actor: str) -> "PlanView":
        """Makes a plan in this process and shows how far the reading is."""
        from sync.service import plans  # noqa: PLC0415  loads the engine

        made = plans.start_plan(self.hub, names, actor=actor, wake=False)
        self._beside(
            lambda: plans.make_plan(self.hub, made.id),
            lambda: self._show_reading(plans.get_plan(self.hub, made.id)),
            stopped=lambda: plans.give_up_plan(self.hub, made.id),
        )
        done = plans.get_plan(self.hub, made.id)
        read = sum(sum(objects.values()) for objects in done.progress.values())
        self.board.end("plan", self.console.word("plan_made", id=done.id, count=read))
        return done

    def apply(self, plan_id: int, *, actor: str) -> None:
        """Hands the plan's records over in this process; killed, a worker goes on with it."""
        from sync.service import plans  # noqa: PLC0415

        self.board.show("apply", self.console.word("applying", id=plan_id))
        plans.apply_plan(self.hub, plan_id, actor=actor, inline=True)
        self.board.end("apply", self.console.word("handed_over", id=plan_id))

    def reconcile(self, names: Sequence[str], *, actor: str) -> dict[str, Any]:
        """Reads the live systems in this process and marks what disagrees."""
        from sync.service import plans  # noqa: PLC0415

        found: list[dict[str, Any]] = []

        def read() -> None:
            found.append(plans.reconcile_all(self.hub, names, actor=actor))

        self.board.show("reconcile", self.console.word("reconciling"))
        self._beside(read, lambda: None)
        count = sum(sum(objects.values()) for objects in found[0]["read"].values())
        self.board.end("reconcile", self.console.word("compared", count=count))
        return found[0]

    def _beside(
        self,
        work: Callable[[], object],
        look: Callable[[], None],
        stopped: Callable[[], None] = lambda: None,
    ) -> None:
        """Does the work in a thread of its own and looks at it meanwhile."""
        failure: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  raised again below
                failure.append(error)

        thread = threading.Thread(target=guarded, name="work", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                self.stopping()
                look()
                thread.join(LOOK_EVERY)
        except BaseException:  # Ctrl-C, or the demo is being stopped
            stopped()
            raise
        if failure:
            raise failure[0]

    def wait(self, names: Sequence[str] = (), *, polled_since: datetime | None = None) -> "Rest":
        """Until nothing waits that the hub could do by itself; works along without workers."""
        from sync.service import work  # noqa: PLC0415

        most, last, moved_at = 0, None, time.monotonic()
        asked, poll_at = names, 0.0
        polling = not self.has_workers and polled_since is not None
        while True:
            self.stopping()
            if not self.has_workers:
                work.work_here(self.hub, asked, polling=polling)
                asked, polling = names, False
            rest = work.rest(self.hub, names, polled_since=polled_since)
            if rest.is_quiet:
                is_stuck = rest.blocked or work.broken(self.hub, names)
                self.board.end("work", self.console.word("done_what_can" if is_stuck else "agreed"))
                return rest
            most = max(most, rest.left)
            self._show_work(rest, most)
            if rest.polls and not rest.left and time.monotonic() >= poll_at:
                # Listings that a command left leased when it died, on a full disk perhaps.
                asked, polling = tuple(rest.polls), not self.has_workers
                poll_at = time.monotonic() + POLL_AGAIN
            seen = (rest.inbox, rest.dirty, rest.jobs)
            if seen != last:
                last, moved_at = seen, time.monotonic()
            stuck = bool(rest.errors or rest.blocked)
            if time.monotonic() - moved_at > (IMPATIENCE if stuck else self.patience):
                status = Exit.WAITS if rest.blocked else Exit.FAILED
                why = self.console.translated(_why(rest))
                raise CommandError("gives_up", status=status, what=self._left(rest), why=why)
            time.sleep(LOOK_EVERY)

    def _show_reading(self, plan: "PlanView") -> None:
        read = sum(sum(objects.values()) for objects in plan.progress.values())
        parts = (f"{name} {sum(objects.values())}" for name, objects in plan.progress.items())
        words = self.console.word("planning", id=plan.id, parts=", ".join(parts))
        self.board.show("plan", words, done=read)

    def _show_work(self, rest: "Rest", most: int) -> None:
        words = self.console.word("working", what=self._left(rest))
        self.board.show("work", words, done=most - rest.left, total=most)

    def _left(self, rest: "Rest") -> str:
        parts = [f"{name} ← {count}" for name, count in rest.dirty.items()]
        parts += [f"{name} → {count}" for name, count in rest.inbox.items()]
        parts += [f"{name} …" for name in rest.polls]
        parts += [f"{self.console.word(f'job_{kind}')} …" for kind in rest.jobs]
        return ", ".join(parts)


def _why(rest: "Rest") -> str:
    reasons = {**rest.errors, **rest.blocked}
    return " ".join(f"{name}: {text}" for name, text in reasons.items())
