"""The shape of a remote object, as its system describes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

FieldType = Literal[
    "text",
    "number",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "choice",
    "choices",
    "reference",
    "list",
    "object",
    "other",
]


@dataclass(frozen=True, slots=True)
class Option:
    """One allowed value of a choice field: `value` travels, `label` is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One native field.

    `max_length` counts characters, or UTF-8 bytes when `length_in` says so.
    `strict_options` is true where the system refuses values outside `options`.
    """

    name: str
    label: str
    type: FieldType = "text"
    required: bool = False
    writable: bool = True
    unique: bool = False
    max_length: int | None = None
    length_in: Literal["characters", "bytes"] = "characters"
    options: Sequence[Option] = ()
    strict_options: bool = False
    target: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One object (module, table) with its fields by native name."""

    name: str
    label: str
    fields: dict[str, FieldSchema] = field(default_factory=dict)

    def find(self, path: str) -> FieldSchema | None:
        """The field that a native path starts at: `Owner.email` starts at `Owner`."""
        head = path.split(".", 1)[0].split("[", 1)[0]
        return self.fields.get(path) or self.fields.get(head)
