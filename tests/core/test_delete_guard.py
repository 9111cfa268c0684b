"""The delete guard asks when both its limits are passed."""

import pytest

from sync.core.guard import too_many_deletes


@pytest.mark.parametrize(
    ("deletes", "linked", "asks"),
    [
        (0, 0, False),
        (10, 20, False),  # as many as are always allowed
        (11, 20, True),
        (11, 5000, False),  # a small share
        (51, 5000, True),
        (50, 5000, False),  # exactly the share
        (11, 11, True),  # everything
    ],
)
def test_both_limits_have_to_be_passed(deletes, linked, asks):
    assert too_many_deletes(deletes, linked, count=10, share=0.01) is asks
