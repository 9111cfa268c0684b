"""When something comes back: later each time, never all at once, never never."""

from hypothesis import given
from hypothesis import strategies as st

from sync.core.backoff import LONGEST, delay

CHANCES = st.floats(0, 1, exclude_max=True)


@given(attempts=st.integers(0, 10**6), chance=CHANCES)
def test_a_wait_is_bounded(attempts, chance):
    assert 1.0 <= delay(attempts, None, chance) <= LONGEST


@given(attempts=st.integers(0, 100), chance=CHANCES)
def test_waits_grow(attempts, chance):
    assert delay(attempts + 1, None, chance) >= delay(attempts, None, chance)


@given(hint=st.floats(0, 1e5), chance=CHANCES, attempts=st.integers(0, 100))
def test_a_hint_is_obeyed(hint, chance, attempts):
    assert hint <= delay(attempts, hint, chance) <= hint + 1


def test_neighbours_do_not_come_back_together():
    assert len({delay(3, None, chance / 10) for chance in range(10)}) == 10
