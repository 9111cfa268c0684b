"""Page schemes are complete, can be resumed, and do not run in circles."""

import pytest

from connectors.sdk.errors import TransientError
from connectors.sdk.paging import batches, by_keyset, by_number, by_offset, by_token

ROWS = list(range(1, 8))


def after(last, size=3):
    return [row for row in ROWS if row > (last or 0)][:size]


def test_a_keyset_listing_is_whole_and_ends_on_a_short_page():
    asked = []

    def read(last):
        asked.append(last)
        return after(last)

    pages = list(by_keyset(read, lambda row: row, size=3))
    assert [row for rows, _ in pages for row in rows] == ROWS
    assert asked == [None, 3, 6]


def test_a_keyset_listing_resumes_behind_any_page():
    for _, place in by_keyset(after, lambda row: row, size=3):
        rest = [
            row for rows, _ in by_keyset(after, lambda r: r, size=3, start=place) for row in rows
        ]
        assert rest == [row for row in ROWS if row > place]


def test_pages_are_read_only_when_asked_for():
    asked = []

    def read(last):
        asked.append(last)
        return after(last)

    next(by_keyset(read, lambda row: row, size=3))
    assert asked == [None]


def test_a_page_that_comes_twice_is_an_error():
    with pytest.raises(TransientError, match="stands still"):
        list(by_keyset(lambda _: [1, 2, 3], lambda row: row, size=3))
    with pytest.raises(TransientError, match="stands still"):
        list(by_token(lambda _: ([1], "same")))


def test_an_error_passes_through_and_no_page_is_swallowed():
    def read(last):
        if last:
            raise TransientError("Broken off.")
        return after(last)

    pages = by_keyset(read, lambda row: row, size=3)
    assert next(pages)[0] == [1, 2, 3]
    with pytest.raises(TransientError):
        next(pages)


def test_tokens_lead_from_page_to_page():
    chain = {None: ([1], "a"), "a": ([2], "b"), "b": ([3], None)}
    assert list(by_token(chain.__getitem__)) == [([1], "a"), ([2], "b"), ([3], None)]
    assert list(by_token(chain.__getitem__, start="b")) == [([3], None)]


def test_offsets_and_numbers_count_on():
    def slice_of(offset, size):
        return ROWS[offset : offset + size]

    assert [o for _, o in by_offset(slice_of, size=3)] == [3, 6, 7]
    pages = by_number(lambda page, size: slice_of((page - 1) * size, size), size=3)
    assert [row for rows, _ in pages for row in rows] == ROWS


def test_a_full_last_page_costs_one_empty_call():
    asked = []

    def read(offset, size):
        asked.append(offset)
        return ROWS[:6][offset : offset + size]

    assert sum(len(rows) for rows, _ in by_offset(read, size=3)) == 6
    assert asked == [0, 3, 6]


def test_batches_lose_nothing():
    assert [list(b) for b in batches(ROWS, 3)] == [[1, 2, 3], [4, 5, 6], [7]]
    assert list(batches([], 3)) == []
