"""The usual page schemes as generators: each yields the rows of a page and where to go on.

`read` makes one call. What a generator yields as position can be stored in a cursor and given
back as its start. A generator ends when the listing is complete; an error passes through, so a
broken listing never looks like a short one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from connectors.sdk.errors import TransientError

R = TypeVar("R")
K = TypeVar("K")
Sheet = tuple[Sequence[R], K]


def by_keyset(
    read: Callable[[K | None], Sequence[R]],
    key: Callable[[R], K],
    *,
    size: int,
    start: K | None = None,
) -> Iterator[Sheet[R, K]]:
    """`read(after)` gives the next `size` rows behind a key; safe when rows come and go."""
    after = start
    while rows := read(after):
        last = key(rows[-1])
        if last == after:
            raise TransientError("The system sends the same page again; its paging stands still.")
        after = last
        yield rows, last
        if len(rows) < size:
            return


def by_token(
    read: Callable[[str | None], tuple[Sequence[R], str | None]], *, start: str | None = None
) -> Iterator[Sheet[R, str | None]]:
    """`read(token)` gives rows and the next page's token; None after the last page."""
    token = start
    while True:
        rows, following = read(token)
        if following is not None and following == token:
            raise TransientError("The system sends the same page again; its paging stands still.")
        token = following
        yield rows, token
        if token is None:
            return


def by_offset(
    read: Callable[[int, int], Sequence[R]], *, size: int, start: int = 0
) -> Iterator[Sheet[R, int]]:
    """`read(offset, size)`; only for lists that stand still: rows that leave make it skip."""
    offset = start
    while rows := read(offset, size):
        offset += len(rows)
        yield rows, offset
        if len(rows) < size:
            return


def by_number(
    read: Callable[[int, int], Sequence[R]], *, size: int, start: int = 1
) -> Iterator[Sheet[R, int]]:
    """`read(page, size)` with pages counted from `start`; the same caution as `by_offset`."""
    page = start
    while rows := read(page, size):
        page += 1
        yield rows, page
        if len(rows) < size:
            return


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
