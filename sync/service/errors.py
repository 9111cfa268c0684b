"""What a person asked for and cannot have; the sentence says why and what to do."""


class ServiceError(Exception):
    """A refusal. `code` names the sentence for translation, `facts` are its parts."""

    def __init__(self, message: str, *, code: str = "", hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.code, self.hint, self.facts = code, hint, facts


class NotFoundError(ServiceError):
    """There is no such thing."""
