"""The families are what their names say, and the simulator keeps clock, caps and failures."""

import numpy as np
import pytest

from vaesearch.bandits.core import Budget
from vaesearch.bandits.stochastic import UniformPolicy
from vaesearch.bandits.synthetic import FAMILIES, CurveSet, run_policy

every_family = pytest.mark.parametrize("name", FAMILIES)


@every_family
@pytest.mark.parametrize("arms", [1, 5, 50])
def test_a_draw(name, arms):
    family = FAMILIES[name]
    curves = family.draw(3, arms, 60)
    again = family.draw(3, arms, 60)
    assert curves.truth.shape == curves.rewards.shape == (arms, 60)
    np.testing.assert_array_equal(curves.rewards, again.rewards)
    assert np.nanstd(curves.rewards - curves.truth) == pytest.approx(family.noise, rel=0.25)
    assert np.nanmax(curves.truth) < -2.4


def test_warm_up_dip_falls_first_and_then_rises_above_its_start():
    truth = FAMILIES["warm-up dip"].draw(0, 200, 60).truth
    assert (truth[:, 1] < truth[:, 0]).all()
    low = truth.argmin(axis=1) + 1
    assert low.min() >= 2
    assert low.max() <= 5
    assert (truth[:, -1] > truth[:, 0]).all()
    assert (np.diff(truth, axis=1)[:, 6:] > 0).all()


def test_early_peak_is_between_epochs_5_and_15_and_declines_for_good():
    truth = FAMILIES["early peak"].draw(0, 200, 60).truth
    peak = truth.argmax(axis=1)
    assert peak.min() + 1 == 5
    assert peak.max() + 1 == 15
    after = np.arange(59) >= peak[:, None]
    assert ((np.diff(truth, axis=1) < 0) == after).all()


def test_diverging_arms_stay_diverged_and_one_never_does():
    for seed in range(30):
        lost = np.isnan(FAMILIES["diverging"].draw(seed, 5, 60).rewards)
        assert (np.diff(lost.astype(int), axis=1) >= 0).all()
        assert not lost[:, 0].any()
        assert not lost.any(axis=1).all()
    assert np.isnan(FAMILIES["diverging"].draw(0, 200, 60).rewards).any(axis=1).mean() > 0.3


def test_one_slow_arm_and_its_budget():
    family = FAMILIES["one slow"]
    assert sorted(family.draw(0, 4, 10).seconds[:, 0]) == [1, 1, 1, 20]
    slow = {int(family.draw(seed, 4, 10).seconds.argmax()) for seed in range(30)}
    assert slow == {0, 1, 2, 3}
    assert family.budget(60, workers=2) == Budget(seconds=30, workers=2)
    assert FAMILIES["power"].budget(60, 9, 2) == Budget(epochs=60, cap=9, workers=2)


def simulate(rewards, budget, *, chunk=1, **kwargs):
    rewards = np.asarray(rewards, dtype=float)
    seconds = kwargs.pop("seconds", None)
    return run_policy(
        UniformPolicy(chunk), CurveSet(rewards, rewards, seconds), budget, 0, **kwargs
    )


def test_the_clock_adds_up_what_epochs_cost():
    seconds = np.array([[1.0, 2.0, 3.0], [10.0, 10.0, 10.0]])
    end = simulate(np.zeros((2, 3)), Budget(epochs=6), seconds=seconds)
    assert end.elapsed == 36
    assert [a.seconds for a in end.arms] == [(1, 2, 3), (10, 10, 10)]
    side_by_side = simulate(np.zeros((2, 3)), Budget(epochs=6, workers=2), seconds=seconds)
    assert side_by_side.elapsed == 30


def test_epochs_that_end_after_the_deadline_are_lost():
    """A pull of three epochs of 4 s from second 0 to 12: two have ended at second 10."""
    end = simulate(np.zeros((1, 9)), Budget(seconds=10.0), chunk=3, seconds=np.full((1, 1), 4.0))
    assert (end.spent, end.elapsed) == (2, 10)


def test_epochs_before_a_divergence_are_kept():
    end = simulate([[1.0, 2.0, np.nan, 4.0], [0.0] * 4], 6, chunk=4)
    assert end.arms[0].rewards == (1.0, 2.0)
    assert end.arms[0].status == "failed"
    assert end.arms[1].epochs == 4


def test_arms_may_have_limits_of_their_own():
    end = simulate(np.zeros((3, 9)), 20, limits=[2, None, 5])
    assert [a.epochs for a in end.arms] == [2, 9, 5]
