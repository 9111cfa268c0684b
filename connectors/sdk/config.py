"""A connector's settings: one pydantic model is validation, form and help."""

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.fields import FieldInfo

Widget = Literal["text", "password", "number", "checkbox", "select", "url"]


class ConnectorConfig(BaseModel):
    """Base of every connector's settings: unknown keys are refused, values are frozen.

    Give every field `Field(title=..., description=...)`; a Chinese form of both may stand in
    `json_schema_extra={"zh": {"title": ..., "description": ...}}`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of a settings form."""

    name: str
    title: str
    description: str
    widget: Widget
    required: bool
    default: Any
    choices: tuple[str, ...] = ()


def form_fields(model: type[ConnectorConfig], language: str = "en") -> list[FormField]:
    """The settings form of a model, in the order of its fields."""
    return [_form_field(name, info, language) for name, info in model.model_fields.items()]


def secret_names(model: type[ConnectorConfig]) -> frozenset[str]:
    """Names of the fields that are secrets: encrypted at rest, never sent to a browser."""
    return frozenset(n for n, info in model.model_fields.items() if _is_secret(info.annotation))


def _form_field(name: str, info: FieldInfo, language: str) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    local = extra.get(language[:2], {})
    words = local if isinstance(local, dict) else {}
    return FormField(
        name=name,
        title=str(words.get("title") or info.title or name.replace("_", " ").capitalize()),
        description=str(words.get("description") or info.description or ""),
        widget=_widget(info.annotation),
        required=info.is_required(),
        default=None if info.is_required() or _is_secret(info.annotation) else info.default,
        choices=_choices(info.annotation),
    )


def _widget(annotation: Any) -> Widget:
    if _is_secret(annotation):
        return "password"
    if _choices(annotation):
        return "select"
    kinds = _parts(annotation)
    if bool in kinds:
        return "checkbox"
    if int in kinds or float in kinds:
        return "number"
    return "url" if any("Url" in getattr(k, "__name__", "") for k in kinds) else "text"


def _is_secret(annotation: Any) -> bool:
    return SecretStr in _parts(annotation)


def _choices(annotation: Any) -> tuple[str, ...]:
    for part in _parts(annotation):
        if get_origin(part) is Literal:
            return tuple(str(value) for value in get_args(part))
    return ()


def _parts(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return (annotation,)
    return get_args(annotation) or (annotation,)
