"""Settings forms: what a browser sends becomes what a connector's model takes, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.datastructures import MultiDict


class Field(Protocol):
    """One input, as the connector describes it."""

    @property
    def name(self) -> str: ...
    @property
    def widget(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def default(self) -> Any: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """An input with what stands in it. A secret is never filled."""

    field: Field
    value: Any

    @property
    def is_many(self) -> bool:
        """Whether several of the choices may be taken."""
        return _is_many(self.field)


def read(fields: Sequence[Field], form: "MultiDict[str, str]") -> dict[str, Any]:
    """The settings that a form holds. An input left empty is left to its default."""
    values: dict[str, Any] = {}
    for field in fields:
        typed = form.get(_key(field), "")
        if _is_many(field):
            values[field.name] = [each for each in form.getlist(_key(field)) if each]
        elif field.widget == "checkbox":
            values[field.name] = bool(typed)
        elif field.widget == "password":
            if typed:
                values[field.name] = typed
        elif typed.strip():
            values[field.name] = typed.strip()
        elif field.required:
            values[field.name] = ""  # the model says what is missing
    return values


def fill(fields: Sequence[Field], values: Mapping[str, Any] | None) -> list[Filled]:
    """The inputs with the values that stand in them; without values, the defaults."""
    return [Filled(field, _shown(field, values)) for field in fields]


def _shown(field: Field, values: Mapping[str, Any] | None) -> Any:
    if field.widget == "password":
        return ""
    value = field.default if values is None else values.get(field.name, field.default)
    if _is_many(field):
        return tuple(value or ())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return "" if value is None else value


def _is_many(field: Field) -> bool:
    return bool(field.choices) and isinstance(field.default, (list, tuple))


def _key(field: Field) -> str:
    return f"setting-{field.name}"
