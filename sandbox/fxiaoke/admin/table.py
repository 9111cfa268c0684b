"""Registers admin calls together with a line on what each does, and reads their bodies."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.fxiaoke.errors import AdminError

View = Callable[..., Any]


class Table:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self.entries: list[dict[str, str]] = []

    def call(self, method: str, path: str, what: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(**values: Any) -> Any:
                return jsonify(view(**values))

            name = f"{method} {path}".replace(".", "_")
            self._blueprint.add_url_rule(path, name, answer, methods=[method])
            shown = path.replace("<path:", "<")
            self.entries.append({"method": method, "path": f"/__admin{shown}", "what": what})
            return view

        return register


def body() -> dict[str, Any]:
    """The JSON object that was sent; nothing sent is an empty one."""
    if not request.get_data().strip():
        return {}
    given = request.get_json(force=True, silent=True)
    if not isinstance(given, dict):
        raise AdminError("the body must be a JSON object")
    return given


def take(given: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A value of the body, checked for its type."""
    value = given.get(name, default)
    if value is None:
        raise AdminError(f"{name} is missing")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AdminError(f"{name} must be a {kind.__name__}")
    return value
