"""Pages of a list, cut in the database; totals are counted only as far as they are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

T = TypeVar("T")
U = TypeVar("U")
COUNTED = 1000  # a longer list says "more than"
LARGEST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list. `total` None: more than `COUNTED`."""

    rows: Sequence[T]
    number: int
    size: int
    has_next: bool
    total: int | None

    def map(self, convert: Callable[[T], U]) -> "Page[U]":
        """The same page with other rows."""
        return self.with_rows([convert(row) for row in self.rows])

    def with_rows(self, rows: Sequence[U]) -> "Page[U]":
        """The same page with these rows."""
        return Page(rows, self.number, self.size, self.has_next, self.total)

    @property
    def first(self) -> int:
        """The position of the first row, counted from 1; 0 in an empty list."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The position of the last row."""
        return (self.number - 1) * self.size + len(self.rows)


def page_of(
    session: Session,
    query: Select[*tuple[Any, ...]],
    page: int,
    limit: int,
    *,
    total: int | None = None,
) -> Page[Any]:
    """One page of a query's rows. `total` where it is known already."""
    size = max(1, min(limit, LARGEST))
    number = max(1, page)
    offset = (number - 1) * size
    rows = list(session.execute(query.offset(offset).limit(size + 1)).all())
    has_next = len(rows) > size
    if total is None:
        known = offset + len(rows) if rows else 0
        total = _count(session, query, known=known, is_last=not has_next, skipped=offset)
    return Page(rows[:size], number, size, has_next, total)


def _count(
    session: Session,
    query: Select[*tuple[Any, ...]],
    *,
    known: int,
    is_last: bool,
    skipped: int,
) -> int | None:
    if is_last and (known or not skipped):
        return known
    one = query.with_only_columns(literal(1)).order_by(None).limit(COUNTED + 1)
    found = session.scalar(select(func.count()).select_from(one.subquery())) or 0
    return None if found > COUNTED else found
