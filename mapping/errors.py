"""What can be wrong with a mapping or with a value that it meets."""

from collections.abc import Mapping
from typing import Any

from mapping import words


class MappingError(Exception):
    """The mapping itself is wrong. The sentence names file, line and rule."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint


class UnmappableValue(Exception):  # noqa: N818  the name says what was met
    """A value that a rule cannot read or write: field, value and rule are named.

    `data` holds what the sentence is made of (`reason` is its key), `text` says it in Chinese.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str,
        value: object,
        rule: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.rule = rule
        self.data: Mapping[str, Any] = data or {}

    def text(self, language: str) -> str:
        """The sentence in English or Chinese."""
        return words.unmappable(language, self.data) if self.data else str(self)
