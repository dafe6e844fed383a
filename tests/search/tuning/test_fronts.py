import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaesearch.search.tuning.fronts import dominators, front, hypervolume, layers, order

SMALL = st.integers(0, 5)
PLANE = st.lists(st.tuples(SMALL, SMALL), max_size=8)
CUBES = st.lists(st.tuples(SMALL, SMALL, SMALL), max_size=7)
FOUR = st.lists(st.tuples(SMALL, SMALL, SMALL, SMALL), max_size=5)


def cells_below(points, reference):
    """Unit cells of the grid that some point dominates."""
    corners = itertools.product(*map(range, reference))
    return sum(
        any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points)
        for cell in corners
    )


@given(PLANE | CUBES | FOUR)
def test_hypervolume_is_the_number_of_dominated_cells(points):
    size = len(points[0]) if points else 3
    reference = (6, 4, 5, 4)[:size]
    assert hypervolume(points, reference) == cells_below(points, reference)


def test_hypervolume_of_a_staircase():
    assert hypervolume([(0, 2), (1, 1), (2, 0), (2, 2)], (3, 3)) == 6
    assert hypervolume([(1.0,), (2.0,)], (4.0,)) == 3
    assert hypervolume([(3, 0)], (3, 3)) == 0


@given(PLANE | CUBES)
def test_the_front_is_what_nobody_dominates(points):
    def beats(a, b):
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    expected = [i for i, p in enumerate(points) if not any(beats(q, p) for q in points)]
    assert front(points) == expected


@given(PLANE | CUBES)
def test_layers_are_fronts_of_what_is_left(points):
    found = layers(points)
    left = list(range(len(points)))
    for layer in found:
        assert layer == [left[i] for i in front([points[i] for i in left])]
        left = [i for i in left if i not in layer]
    assert not left


@given(PLANE | CUBES)
def test_the_order_puts_each_point_behind_those_that_dominate_it(points):
    ordered = order(points)
    assert sorted(ordered) == list(range(len(points)))
    dominates = dominators(points) if points else np.zeros((0, 0))
    for first, second in itertools.combinations(ordered, 2):
        assert not dominates[second, first]


def test_any_first_few_of_a_front_are_its_ends_and_then_its_middle():
    line = [(x, 8 - x) for x in range(9)]
    assert order(line)[:3] == [0, 8, 4]
    assert set(order(line)[3:5]) == {2, 6}


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1e-6, 1e9)])
def test_the_order_knows_no_units_and_no_outliers(scale):
    line = [(x, (8 - x) ** 9) for x in range(9)]
    scaled = [(a * scale[0], b * scale[1]) for a, b in line]
    assert order(scaled) == order([(x, 8 - x) for x in range(9)])
