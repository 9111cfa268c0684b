"""The limits, as tables of cases."""

import pytest

from sync.core.guard import Move, flips, mass_change


@pytest.mark.parametrize(
    ("moves", "count"),
    [
        ([], 0),
        ([Move(1, "a", "b")], 0),
        ([Move(1, "a", "b"), Move(2, "b", "c"), Move(1, "c", "d")], 0),
        ([Move(1, "a", "b"), Move(2, "b", "a"), Move(1, "a", "b")], 2),
        ([Move(1, "a", "b"), Move(1, "b", "a"), Move(1, "a", "b")], 0),
        ([Move(1, "a", "b", refused=True)] * 4, 3),
        ([Move(1, ["x"], ["y"]), Move(None, ["y"], ["x"])], 1),
    ],
)
def test_only_returns_between_two_sides_are_flips(moves, count):
    assert flips(moves) == count


@pytest.mark.parametrize(
    ("moved", "earlier", "linked", "batch", "waiting", "found"),
    [
        ({"name": 100}, {}, 1000, 100, 0, None),
        ({"name": 100}, {"name": 150}, 1000, 100, 0, ("name", 250)),
        ({"name": 100}, {"name": 150}, 5000, 100, 0, None),
        ({"name": 100}, {}, 5000, 100, 4900, ("name", 5000)),
        ({"name": 40}, {}, 5000, 100, 4900, None),
        ({"name": 60, "notes": 90}, {}, 1000, 100, 900, ("notes", 900)),
        ({"name": 201}, {}, 201, 201, 0, ("name", 201)),
    ],
)
def test_a_mass_change_is_more_than_both_limits(moved, earlier, linked, batch, waiting, found):
    limits = {"count": 200, "share": 0.2}
    assert mass_change(moved, earlier, linked, batch=batch, waiting=waiting, **limits) == found
