"""The table of paths: which action answers, whether it reads or writes, what body it wants."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.fxiaoke.caller import Caller
    from sandbox.fxiaoke.world import World

Action = Callable[["World", "Caller"], dict[str, Any]]
PRESET = "/cgi/crm/v2/data"
CUSTOM = "/cgi/crm/custom/v2/data"


@dataclasses.dataclass(frozen=True)
class Route:
    path: str
    action: Action
    kind: str  # read or write
    family: str  # preset, custom, or any
    wants_data: bool
    message: str


ROUTES: dict[str, Route] = {}


def route(
    *paths: str, kind: str = "read", family: str = "any", data: bool = True, message: str = "OK"
) -> Callable[[Action], Action]:
    def register(action: Action) -> Action:
        for path in paths:
            ROUTES[path] = Route(path, action, kind, family, data, message)
        return action

    return register


def both_families(name: str, *, kind: str) -> Callable[[Action], Action]:
    """The same action under the preset and the custom path, each for its own objects."""

    def register(action: Action) -> Action:
        route(f"{PRESET}/{name}", kind=kind, family="preset")(action)
        route(f"{CUSTOM}/{name}", kind=kind, family="custom")(action)
        return action

    return register
