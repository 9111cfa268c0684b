"""Clusters: by averages, in any order alike, and never across a hard conflict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.cluster import Constraints, Links, cluster


def links(*pairs, alone=(), veto=()):
    left, right, bits = (np.array(column) for column in zip(*pairs, strict=True))
    named = [(a, b) for a, b, _ in pairs]
    return Links(
        left.astype(np.int64), right.astype(np.int64), bits.astype(float),
        np.array([p in alone for p in named]), np.array([p in veto for p in named]),
    )  # fmt: skip


def groups(customer):
    found = {}
    for row, root in enumerate(customer.tolist()):
        found.setdefault(root, set()).add(row)
    return sorted(map(sorted, found.values()))


def test_strong_pairs_are_one_customer_and_weak_ones_are_not():
    customer = cluster(4, links((0, 1, 8.0), (2, 3, 2.0)), Constraints(), 4.0)
    assert groups(customer) == [[0, 1], [2], [3]]


def test_one_good_pair_does_not_chain_two_groups_that_disagree():
    pairs = [(0, 1, 9.0), (2, 3, 9.0), (1, 2, 6.0), (0, 2, -8.0), (0, 3, -8.0), (1, 3, -8.0)]
    assert groups(cluster(4, links(*pairs), Constraints(), 4.0)) == [[0, 1], [2, 3]]


def test_records_without_a_common_key_are_joined_by_a_third():
    assert groups(cluster(3, links((0, 1, 9.0), (1, 2, 9.0)), Constraints(), 4.0)) == [[0, 1, 2]]


def test_a_proven_identifier_joins_below_the_threshold():
    pairs = links((0, 1, -1.0), alone={(0, 1)})
    assert groups(cluster(2, pairs, Constraints({0: ((7, 1),), 1: ((7, 1),)}), 4.0)) == [[0, 1]]


def test_two_identifiers_never_meet_however_they_are_chained():
    pairs = links((0, 1, 11.0), (1, 2, 11.0), (0, 2, 11.0), (2, 3, 11.0), (1, 3, 11.0))
    found = groups(cluster(4, pairs, Constraints({0: ((7, 1),), 3: ((7, 2),)}), 4.0))
    assert not any({0, 3} <= set(group) for group in found)


def test_identifiers_of_two_schemes_may_meet():
    customer = cluster(2, links((0, 1, 11.0)), Constraints({0: ((7, 1),), 1: ((8, 2),)}), 4.0)
    assert groups(customer) == [[0, 1]]


def test_what_a_person_set_apart_stays_apart():
    pairs = links((0, 1, 11.0), (1, 2, 10.0), (0, 2, 11.0))
    found = groups(cluster(3, pairs, Constraints(never={(0, 2)}), 4.0))
    assert not any({0, 2} <= set(group) for group in found)


def test_a_vetoed_pair_is_never_linked_directly():
    assert groups(cluster(2, links((0, 1, 11.0), veto={(0, 1)}), Constraints(), 4.0)) == [[0], [1]]


def test_a_record_that_fits_two_customers_joins_neither():
    pairs = links((0, 1, 8.0), (0, 2, 7.0), (1, 2, -6.0))
    assert groups(cluster(3, pairs, Constraints(), 4.0, ahead=2.0)) == [[0], [1], [2]]
    assert groups(cluster(3, pairs, Constraints(), 4.0, ahead=0.5)) == [[0, 1], [2]]


def test_a_record_that_fits_two_records_of_one_customer_joins_them():
    pairs = links((0, 1, 8.0), (0, 2, 7.0), (1, 2, 6.0))
    assert groups(cluster(3, pairs, Constraints(), 4.0, ahead=2.0)) == [[0, 1, 2]]


SIZE = 8
PAIRS = st.dictionaries(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).filter(lambda p: p[0] < p[1]),
    st.integers(-12, 12), min_size=1, max_size=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    pairs=PAIRS,
    numbers=st.lists(st.integers(0, 3), min_size=SIZE, max_size=SIZE),
    order=st.permutations(range(SIZE)),
    ahead=st.sampled_from([0.0, 2.0]),
)
def test_any_order_gives_the_same_clusters_without_a_conflict(pairs, numbers, order, ahead):
    facts = {row: ((1, value),) for row, value in enumerate(numbers) if value}
    rows = [(a, b, float(bits)) for (a, b), bits in pairs.items()]
    usual = groups(cluster(SIZE, links(*rows), Constraints(facts), 2.0, ahead=ahead))

    place = {old: new for new, old in enumerate(order)}
    moved = [(min(place[a], place[b]), max(place[a], place[b]), bits) for a, b, bits in rows]
    shuffled = cluster(
        SIZE,
        links(*moved),
        Constraints({place[row]: fact for row, fact in facts.items()}),
        2.0,
        np.array(order),
        ahead=ahead,
    )
    back = sorted(sorted(order[row] for row in group) for group in groups(shuffled))

    assert back == usual
    for group in usual:
        assert len({numbers[row] for row in group} - {0}) <= 1
