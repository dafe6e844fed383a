"""Estimators for rested rising arms, against sums written out and curves of known shape."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.rested import (
    REdUCBPolicy,
    RUCBEPolicy,
    drawn_on,
    horizons,
    noise_scale,
    width,
    window,
    windowed_mean,
)
from vaesearch.bandits.stochastic import UCB1Policy
from vaesearch.bandits.synthetic import CurveSet, run_policy

RNG = np.random.default_rng(0)


def arms(**rewards):
    return tuple(ArmHistory(name, tuple(values)) for name, values in rewards.items())


@pytest.mark.parametrize(
    ("epochs", "epsilon", "length"),
    [(1, 0.25, 1), (7, 0.25, 1), (8, 0.25, 2), (100, 0.29, 29), (30, 0.1, 3), (5, 0.5, 2)],
)
def test_window(epochs, epsilon, length):
    assert window(epochs, epsilon) == length


def test_windowed_mean():
    assert windowed_mean((1.0, 2.0, 3.0, 5.0), 0.5) == 4
    assert windowed_mean((1.0, 2.0), 0.25) == 2
    assert windowed_mean((), 0.25) == -math.inf


def test_drawn_on_by_hand():
    """h = 2, epochs 3 and 4: (3 + 7 (3 - 0) / 2 + 4 + 6 (4 - 1) / 2) / 2."""
    assert drawn_on((0.0, 1.0, 3.0, 4.0), horizon=10, h=2) == 13.25


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), done=st.integers(2, 30), ahead=st.integers(0, 50), data=st.data())
def test_drawn_on_is_the_sum_of_the_paper(seed, done, ahead, data):
    h = data.draw(st.integers(1, done // 2))
    x = [0.0, *np.random.default_rng(seed).normal(size=done)]  # x[l] is the l-th reward
    end = done + ahead
    total = sum(x[n] for n in range(done - h + 1, done + 1)) / h
    total += sum((end - n) * (x[n] - x[n - h]) for n in range(done - h + 1, done + 1)) / h**2
    assert drawn_on(tuple(x[1:]), end, h) == pytest.approx(total)


@settings(max_examples=50, deadline=None)
@given(done=st.integers(2, 40), ahead=st.integers(0, 60), pace=st.floats(1, 50), data=st.data())
def test_drawn_on_is_exact_on_lines_and_optimistic_on_concave_curves(done, ahead, pace, data):
    h = data.draw(st.integers(1, done // 2))
    epochs = np.arange(1.0, done + ahead + 1)
    line, bent = 3 * epochs - 7, -np.exp(-epochs / pace)
    assert drawn_on(tuple(line[:done]), done + ahead, h) == pytest.approx(line[-1])
    assert drawn_on(tuple(bent[:done]), done + ahead, h) >= bent[-1] - 1e-12


def test_width_by_hand():
    assert width(8, 20, 2) == pytest.approx(13 / 8**0.5)
    assert width(20, 20, 1) == 0


@pytest.mark.parametrize("sigma", [0.01, 0.3])
def test_noise_is_found_under_a_trend(sigma):
    rng = np.random.default_rng(1)
    trend = -np.exp(-np.arange(40.0) / 20)
    curves = {f"a{i}": trend + rng.normal(0, sigma, 40) for i in range(40)}
    assert noise_scale(arms(**curves)) == pytest.approx(sigma, rel=0.1)


def test_noise_of_few_epochs_and_of_failed_arms():
    assert noise_scale(arms(a=[1.0, 5.0], b=[])) == 0
    assert noise_scale(arms(a=[1.0, 2.0, 3.0])) == 0
    bend = 4 / (0.6745 * 6**0.5)
    assert noise_scale(arms(a=[1.0, 5.0, 5.0])) == pytest.approx(bend)
    wild = ArmHistory("z", (0.0, 1e9, 0.0), status="failed")
    assert noise_scale([*arms(a=[1.0, 5.0, 5.0]), wild]) == pytest.approx(bend)


def bounds(history, horizons, a, epsilon):
    """The papers' upper bounds as written there."""
    sigma = noise_scale(history.arms)
    found = {}
    for arm in history.candidates:
        n, x = arm.epochs, [0.0, *arm.rewards]
        h, end = math.floor(epsilon * n), horizons[arm.name]
        window = range(n - h + 1, n + 1)
        found[arm.name] = sum(x[k] + (end - k) * (x[k] - x[k - h]) / h for k in window) / h
        found[arm.name] += sigma * (end - n + h - 1) * math.sqrt(a / h**3)
    return found


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), a=st.floats(0, 20), limit=st.integers(12, 40))
def test_both_policies_pull_the_highest_bound_of_their_paper(seed, a, limit):
    rng = np.random.default_rng(seed)
    curves = {name: rng.normal(size=rng.integers(4, 12)).cumsum() for name in "abc"}
    flying = ArmHistory("d", (1.0, 2.0), pending=5)
    limited = ArmHistory("e", (0.0,) * 4, limit=limit)
    state = History(Budget(epochs=90), (*arms(**curves), flying, limited))
    ends = dict.fromkeys("abc", 90) | {"e": limit}
    expected = bounds(state, ends, a, 0.25)
    assert RUCBEPolicy(a=a).choose(state, RNG).arm == max(expected, key=expected.get)
    now = state.spent + 5 + 1
    ends = dict.fromkeys("abc", now) | {"e": min(now, limit)}
    expected = bounds(state, ends, 10 * 3 * math.log(now), 0.25)
    decision = REdUCBPolicy(alpha=3).choose(state, RNG)
    assert decision.arm == max(expected, key=expected.get)
    assert f"at epoch {ends[decision.arm]}, upper bound {expected[decision.arm]:.4g}" in (
        decision.reason
    )


def test_first_looks_fill_a_window():
    state = History(Budget(epochs=90), arms(a=[1.0] * 4, b=[0.0] * 3))
    assert RUCBEPolicy().choose(state, RNG).reason == "first look: epoch 4 of 4"
    assert RUCBEPolicy(epsilon=0.5).choose(state, RNG).arm == "a"
    assert REdUCBPolicy(epsilon=0.1).choose(state, RNG).reason == "first look: epoch 4 of 10"


def test_horizons():
    """Epochs; the arm's cap; seconds at the mean cost of two workers; and without any bound."""
    arm = ArmHistory("a", (1.0,) * 5, (2.0,) * 5)
    other = ArmHistory("b", (1.0,) * 3, (2.0,) * 3)
    limited = ArmHistory("c", (1.0,) * 3, (2.0,) * 3, limit=12)
    assert horizons(History(Budget(epochs=40), (arm, limited))) == {"a": 40, "c": 12}
    assert horizons(History(Budget(epochs=40, cap=30), (arm, limited))) == {"a": 30, "c": 12}
    in_seconds = History(Budget(seconds=30.0, workers=2), (arm, other), elapsed=10.0)
    assert horizons(in_seconds)["a"] == 8 + 20 * 2 / 2
    assert horizons(History(Budget(), (arm,))) == {"a": 15}


def test_a_late_bloomer_is_seen_by_its_slope():
    """It passes the other at epoch 30 of 60; UCB1 on recent rewards gives up on it."""
    epochs = np.arange(1.0, 61)
    curves = np.stack([1 - np.exp(-epochs / 3), epochs / 30])
    late = {
        policy: run_policy(policy, CurveSet(curves, curves), 60, seed=0).arms[1].epochs
        for policy in (RUCBEPolicy(), UCB1Policy())
    }
    assert late[RUCBEPolicy()] > 40
    assert late[UCB1Policy()] < 30
