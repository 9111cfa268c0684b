"""Connects the demo's systems as a user would: add, plan, apply; then waits until all agree."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from webui.cli.console import Board, Console, Exit
from webui.cli.demo import children
from webui.cli.demo.state import State
from webui.cli.failing import CommandError, sentence
from webui.cli.following import Follower
from webui.cli.opening import effective, open_hub
from webui.cli.supervisor import Supervisor

if TYPE_CHECKING:
    from sync.service.hub import Hub

ACTOR = "demo"
POLL_ERP = 3.0
# Name, kind of connector, and which stand-in.
SYSTEMS = (
    ("erp", "tryton", "tryton"),
    ("zoho", "zoho_crm", "zoho"),
    ("fxiaoke", "fxiaoke", "fxiaoke"),
)
LOOK_EVERY = 0.3


class Stopped(Exception):  # noqa: N818  not an error: somebody pressed Ctrl-C
    """The demo is being stopped."""


class Connecting:
    """Everything between the first process and “ready”, in a thread beside the supervisor."""

    def __init__(
        self, console: Console, state: State, log_start: int, done: Callable[["Hub"], None]
    ) -> None:
        self._console, self._state = console, state
        self._log_start, self._done = log_start, done
        self.failure: str = ""

    def __call__(self, supervisor: Supervisor) -> None:
        try:
            with self._console.board() as board:
                hub = self._connect(supervisor, board)
            self._state.note(ready=True)
            self._done(hub)
        except Stopped:
            return
        except Exception as error:
            found = sentence(error, self._console)
            self.failure = found[1] if found else ""
            supervisor.request_stop()
            if found is None:
                raise

    def _connect(self, supervisor: Supervisor, board: Board) -> "Hub":
        from sync.service import work  # noqa: PLC0415  loads the engine

        for name in ("zoho", "fxiaoke"):
            self._wait_for(supervisor, board, name)
        board.end("crms", self._console.word("demo_crms"))
        while not supervisor.wait_until_ready(LOOK_EVERY):
            _check(supervisor)
        board.end("hub", self._console.word("demo_hub"))
        self._wait_for(supervisor, board, "tryton")
        board.end("tryton", self._console.word("demo_erp"))
        hub = open_hub(effective())
        self._add_systems(hub, board)
        follower = Follower(
            hub, self._console, board, has_workers=True, stopping=lambda: _check(supervisor)
        )
        self._go_live(hub, follower)
        try:
            follower.wait(polled_since=work.ask_for_polls(hub))
        except CommandError as error:
            if error.status is not Exit.WAITS:
                raise
            # Somebody has to decide something; the demo goes on, that is what it is for.
            board.say(self._console.word(error.key, **error.facts))
        return hub

    def _wait_for(self, supervisor: Supervisor, board: Board, name: str) -> None:
        while True:
            _check(supervisor)
            facts = children.announced(supervisor, name)
            if facts:
                self._state.note(**{name: facts})
                return
            if name == "tryton":
                percent, words, failure = children.erp_progress(supervisor, self._log_start)
                if failure:
                    raise CommandError("demo_erp_failed", reason=failure)
                board.show("tryton", f"Tryton: {words}"[:70], done=percent, total=100)
            time.sleep(LOOK_EVERY)

    def _add_systems(self, hub: "Hub", board: Board) -> None:
        from sync.service import systems, work  # noqa: PLC0415  loads the engine

        known = {view.name: view for view in systems.list_systems(hub)}
        moved = self._state.facts.get("hub_url") not in {None, hub.settings.base_url}
        for name, kind, stand_in in SYSTEMS:
            values = settings_of(kind, self._state.facts[stand_in])
            if name not in known:
                board.show("systems", self._console.word("demo_connecting", name=name))
                systems.add_system(hub, name=name, kind=kind, values=values, actor=ACTOR)
            elif known[name].url and not _same_address(known[name].settings, values):
                systems.change_system(hub, name, values=values, actor=ACTOR)
        systems.change_system(hub, "erp", poll_seconds=POLL_ERP, actor=ACTOR)
        self._set_callback(systems.get_system(hub, "fxiaoke").hook_url)
        if moved:
            work.renew_hooks(hub)
        self._state.note(hub_url=hub.settings.base_url)
        board.end("systems", self._console.word("demo_connected"))

    def _set_callback(self, url: str) -> None:
        """What an admin of 纷享销客 does in its console; only the stand-in has a call for it."""
        base = self._state.facts["fxiaoke"]["base_url"]
        _post(f"{base}/__admin/callback", {"url": url, "objects": []})

    def _go_live(self, hub: "Hub", follower: Follower) -> None:
        from sync.service import plans, systems  # noqa: PLC0415

        open_plans = [plan for plan in plans.list_plans(hub, 5) if plan.state == "applying"]
        for plan in open_plans:  # the last start was stopped in the middle
            plans.apply_plan(hub, plan.id, actor=ACTOR, inline=True)
        draft = [
            view.name
            for view in systems.list_systems(hub)
            if view.state in {"draft", "testing"} and view.kind in {kind for _, kind, _ in SYSTEMS}
        ]
        if not draft:
            return
        plan = follower.plan(draft, actor=ACTOR)
        if plan.state != "ready":
            raise CommandError("plan_failed", reason=plan.error, id=plan.id)
        follower.apply(plan.id, actor=ACTOR)


def settings_of(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """A connector's settings, from what its stand-in announced."""
    if kind == "zoho_crm":
        zoho = ("client_id", "client_secret", "refresh_token", "accounts_url")
        return {"api_url": facts["base_url"], **{name: facts[name] for name in zoho}}
    if kind == "fxiaoke":
        fxiaoke = ("app_id", "app_secret", "permanent_code", "user_id", "callback_secret", "ea")
        return {"base_url": facts["base_url"], **{name: str(facts[name]) for name in fxiaoke}}
    tryton = ("database", "login", "password")
    return {"url": facts["base_url"], **{name: facts[name] for name in tryton}}


def _same_address(settings: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    names = ("url", "base_url", "api_url")
    return all(
        str(settings.get(name, "")).rstrip("/") == str(values.get(name, "")).rstrip("/")
        for name in names
    )


def _check(supervisor: Supervisor) -> None:
    if supervisor.is_stopping:
        raise Stopped


def _post(url: str, content: Mapping[str, Any]) -> None:
    body = json.dumps(content).encode()
    request = urllib.request.Request(  # noqa: S310  an address of our own stand-in
        url, body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return
    except urllib.error.URLError as error:
        raise CommandError("demo_callback_failed", reason=error) from error
