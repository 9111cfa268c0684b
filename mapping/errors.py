"""What can be wrong with a mapping or with a value that it meets."""


class MappingError(Exception):
    """The mapping itself is wrong. The sentence names file, line and rule."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint


class UnmappableValue(Exception):
    """A value that a rule cannot read or write: field, value and rule are named."""

    def __init__(self, message: str, *, field: str, value: object, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.rule = rule
