"""Limits that stop a mass change and ask."""


def too_many_deletes(deletes: int, linked: int, *, count: int, share: float) -> bool:
    """Whether so many deletes at once need a person: more than both limits allow."""
    return deletes > count and deletes > share * linked
