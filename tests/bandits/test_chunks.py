"""Pulls long enough that switching costs a twentieth at most, where there is room for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaesearch.bandits.chunks import SHARE, pull_epochs
from vaesearch.bandits.core import ArmHistory, Budget, History


def arm(epochs=3, cost=1.0, switch=None, name="a"):
    overheads = () if switch is None else (switch,) * 3
    return ArmHistory(name, (-1.0,) * epochs, (cost,) * epochs, overheads=overheads)


def given_to(one, *others, wanted=1, chunk=1, elapsed=0.0, **budget):
    history = History(Budget(**budget), (one, *others), elapsed=elapsed)
    return pull_epochs(history, one, wanted, chunk)


@pytest.mark.parametrize(
    ("switch", "cost", "epochs"),
    [(None, 1.0, 1), (0.0, 1.0, 1), (0.05, 1.0, 1), (0.06, 1.0, 2), (0.5, 1.0, 10),
     (0.5, 20.0, 1), (0.5, 0.1, 100)],
)  # fmt: skip
def test_seconds_are_spent_on_epochs_and_not_on_switching(switch, cost, epochs):
    assert given_to(arm(cost=cost, switch=switch), seconds=1000.0) == epochs


def test_a_budget_in_epochs_does_not_look_at_the_clock():
    dear = arm(cost=0.1, switch=5.0)
    assert given_to(dear, epochs=100) == 1
    assert given_to(dear, epochs=100, wanted=2, chunk=4) == 4
    assert given_to(dear, epochs=100, wanted=6, chunk=4) == 6
    assert given_to(dear, epochs=100, chunk=4, elapsed=1e9) == 4


def test_a_look_at_an_arm_that_joined_is_no_longer_than_asked_for():
    dear = arm(cost=1.0, switch=0.5)
    assert given_to(dear, seconds=1000.0, trials=20) == 1
    assert given_to(dear, seconds=1000.0, trials=20, chunk=4) == 4
    assert given_to(dear, seconds=1000.0, trials=20, wanted=9, elapsed=995.0) == 4


def test_room_is_what_budget_cap_and_deadline_leave():
    dear = arm(epochs=3, cost=1.0, switch=0.5)
    assert given_to(dear, seconds=1000.0, cap=8) == 5
    assert given_to(dear, seconds=1000.0, epochs=10) == 7
    assert given_to(dear, seconds=100.0, elapsed=93.0) == 6
    assert given_to(dear, seconds=100.0, elapsed=98.5) == 1
    assert given_to(dear, epochs=10, chunk=50) == 7


def test_an_arm_without_figures_borrows_the_typical_ones():
    others = [arm(cost=c, switch=s, name=f"{c}") for c, s in ((1.0, 0.2), (2.0, 0.3), (9.0, 8.0))]
    new = ArmHistory("new")
    assert given_to(new, *others, seconds=1000.0) == 3  # 0.3 / (0.05 * 2)
    assert given_to(new, seconds=1000.0) == 1


@given(
    st.integers(0, 20), st.floats(0.01, 50), st.none() | st.floats(0, 20), st.integers(1, 9),
    st.integers(1, 9), st.none() | st.integers(21, 90), st.floats(0, 99),
)  # fmt: skip
def test_never_beyond_what_there_is(epochs, cost, switch, wanted, chunk, cap, elapsed):
    one = arm(epochs, cost, switch if epochs else None)
    history = History(Budget(seconds=100.0, cap=cap), (one,), elapsed=elapsed)
    if one not in history.candidates:
        return
    given = pull_epochs(history, one, wanted, chunk)
    assert given >= 1
    assert epochs + given <= history.cap(one)
    if epochs:
        beyond = one.switch_cost or 0.0
        assert beyond + given * cost <= history.seconds_left + 1e-9
        room = min(history.cap(one) - epochs, (history.seconds_left - beyond) // cost)
        assert given >= min(wanted, room)
        assert given == room or beyond <= SHARE * given * cost * (1 + 1e-9)
