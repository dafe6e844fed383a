"""Sums that are carried along are those that would be found anew, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.stochastic import EpsilonGreedyPolicy, mean_reward, reward_scale
from vaesearch.bandits.totals import Totals

rewards = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(st.lists(rewards, max_size=5), max_size=8))
def test_they_are_exact_however_the_rewards_come(pulls):
    totals = Totals()
    for pull in pulls:
        totals = totals.plus(pull)
    every = [reward for pull in pulls for reward in pull]
    assert totals.sum == math.fsum(every)
    assert totals.least == min(every, default=math.inf)
    assert totals.greatest == max(every, default=-math.inf)


def test_what_is_large_and_what_is_small_are_both_kept():
    assert Totals().plus([1e16, 1.0, -1e16]).sum == 1.0
    assert len(Totals().plus(np.random.default_rng(0).normal(size=10_000)).partials) < 10


@pytest.mark.parametrize("reward", [math.inf, -math.inf])
def test_infinity_stays(reward):
    assert Totals().plus([0.1, 0.2, reward]).plus([0.3]).sum == reward


def test_a_history_carries_them_from_pull_to_pull():
    history = History(Budget(epochs=1000)).added("a").added("b")
    drawn = np.random.default_rng(0).normal(size=(20, 3)).tolist()
    for pull in drawn:
        history = history.started("a", 3).observed("a", pull, (1.0,) * 3).at(1.0)
    arm, every = history.arm("a"), [reward for pull in drawn for reward in pull]
    assert arm.__dict__["totals"] == Totals().plus(every)
    fresh = ArmHistory("a", tuple(every))
    assert (mean_reward(arm, 0), arm.value) == (mean_reward(fresh, 0), fresh.value)
    assert reward_scale([arm]) == reward_scale([fresh]) == max(every) - min(every)
    assert history.closed("a", "cut").arm("a").totals == arm.totals
    assert History.from_dict(history.to_dict()) == history


class Counted(tuple):
    """Rewards that know how often they are read through."""

    __slots__ = ()
    reads = 0

    def __iter__(self):
        Counted.reads += 1
        return super().__iter__()


def test_a_decision_reads_no_rewards_again():
    """So that it takes as long after ten thousand batches as after ten."""
    arms = tuple(ArmHistory(n, Counted([0.1, 0.2]), (1.0, 1.0)) for n in "ab")
    history = History(Budget(epochs=100), arms)
    policy, rng = EpsilonGreedyPolicy(), np.random.default_rng(0)
    policy.choose(history, rng)
    before = Counted.reads
    for _ in range(5):
        policy.choose(history, rng)
    assert Counted.reads == before
