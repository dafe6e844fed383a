"""The textbook policies, against hand-worked values and the laws that they should obey."""

import numpy as np
import pytest

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.stochastic import (
    EpsilonGreedyPolicy,
    GaussianThompsonPolicy,
    UCB1Policy,
    UniformPolicy,
    reward_scale,
)
from vaesearch.bandits.synthetic import CurveSet, run_policy
from vaesearch.bandits.ucbv import UCBVPolicy


def history(**rewards):
    arms = tuple(ArmHistory(name, tuple(values)) for name, values in rewards.items())
    return History(Budget(epochs=1000), arms)


def share_of(policy, state, name, draws=4000):
    rng = np.random.default_rng(0)
    return np.mean([policy.choose(state, rng).arm == name for _ in range(draws)])


def test_uniform_keeps_arms_level():
    curves = np.zeros((4, 30))
    end = run_policy(UniformPolicy(), CurveSet(curves, curves), 30, seed=0, workers=3)
    assert sorted(a.epochs for a in end.arms) == [7, 7, 8, 8]


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_epsilon_greedy_draw_law(epsilon):
    """With a leader that never changes: 1 - ε + ε/K of the pulls, ε/K for each of the others."""
    state = history(a=[1.0], b=[2.0], c=[0.0], d=[1.5], e=[0.5])
    policy = EpsilonGreedyPolicy(epsilon)
    assert share_of(policy, state, "b") == pytest.approx(1 - epsilon + epsilon / 5, abs=0.02)
    assert share_of(policy, state, "c") == pytest.approx(epsilon / 5, abs=0.02)


@pytest.mark.parametrize(("epochs", "published"), [(3, 0.573), (5, 0.648)])
def test_the_published_fractions_follow_from_the_law(epochs, published):
    """The report's shares (.576 and .641) are those of a leader that stayed after epoch 0."""
    pulls = 200 * epochs
    truth = np.repeat([[0.0], [1.0], [0.2], [0.4], [0.6]], pulls, axis=1)
    end = run_policy(EpsilonGreedyPolicy(), CurveSet(truth, truth), pulls - 195, seed=3)
    later = (end.arms[1].epochs - 1) / (pulls - 200)
    assert (1 / epochs) / 5 + (1 - 1 / epochs) * later == pytest.approx(published, abs=0.02)


def test_epsilon_greedy_averages_over_all_epochs():
    state = history(faster=[0.0, 3.0, 3.0, 3.0], later=[0.0, 0.0, 0.0, 4.0])
    assert EpsilonGreedyPolicy(0.0).choose(state, np.random.default_rng(0)).arm == "faster"
    assert UCB1Policy(window=1).choose(state, np.random.default_rng(0)).arm == "later"


def test_ucb1_by_hand():
    """Ranges 2, 1 and 1 give s = 1; t = 9; bounds 3.05, 2.87 and 2.98."""
    state = history(a=[0.0, 2.0, 2.0, 2.0, 2.0], b=[1.0, 2.0], c=[0.0, 1.0])
    decision = UCB1Policy(window=0).choose(state, np.random.default_rng(0))
    bound = {
        "a": 1.6 + np.sqrt(2 * np.log(9) / 5),
        "b": 1.5 + np.sqrt(2 * np.log(9) / 2),
        "c": 0.5 + np.sqrt(2 * np.log(9) / 2),
    }
    assert decision.arm == max(bound, key=bound.get) == "b"
    assert f"{bound['b']:.4g}" in decision.reason
    assert UCB1Policy(window=0, bonus=0).choose(state, np.random.default_rng(0)).arm == "a"


def test_reward_scale():
    assert reward_scale([]) == 0
    assert reward_scale(history(a=[1.0], b=[4.0]).arms) == 3
    assert reward_scale(history(a=[1.0, 2.0], b=[0.0, 9.0], c=[7.0, 5.0], d=[50.0]).arms) == 2
    failed = ArmHistory("x", (0.0, 1e9), status="failed")
    assert reward_scale([*history(a=[1.0, 2.0]).arms, failed]) == 1


def test_gaussian_thompson_draws_from_its_posterior():
    """P(a beats b) for N(1, 1/4) and N(0, 1/4): Φ(√2)."""
    state = history(a=[1.5, 0.5, 1.0, 1.0], b=[0.5, -0.5, 0.0, 0.0])
    assert share_of(GaussianThompsonPolicy(window=0), state, "a") == pytest.approx(
        0.921, abs=0.015
    )


def test_ucb_v_by_hand():
    """Ranges 2, 1 and 1 give b = 1; E = 1.2 ln 9; means 2, 1.5 and 0.5 of the last three."""
    state = history(a=[0.0, 2.0, 2.0, 2.0, 2.0], b=[1.0, 2.0], c=[0.0, 1.0])
    explore = 1.2 * np.log(9)
    bound = {
        "a": 2.0 + 3 * explore / 5,
        "b": 1.5 + np.sqrt(2 * 0.25 * explore / 2) + 3 * explore / 2,
        "c": 0.5 + np.sqrt(2 * 0.25 * explore / 2) + 3 * explore / 2,
    }
    decision = UCBVPolicy().choose(state, np.random.default_rng(0))
    assert decision.arm == max(bound, key=bound.get) == "b"
    assert decision.reason == f"mean 1.5, upper bound {bound['b']:.4g} after 2 epochs"


def test_ucb_v_divides_by_all_epochs_what_it_averages_over_the_window():
    """Last three of five: mean 1 and variance 14/3; b = 5; E = 1.2 ln 5; n = 5."""
    decision = UCBVPolicy(c=0.5).choose(
        history(a=[2.0, 2.0, 4.0, 0.0, -1.0]), np.random.default_rng(0)
    )
    explore = 1.2 * np.log(5)
    bound = 1 + np.sqrt(2 * (14 / 3) * explore / 5) + 3 * 0.5 * 5 * explore / 5
    assert decision.reason == f"mean 1, upper bound {bound:.4g} after 5 epochs"


@pytest.mark.parametrize(("window", "c", "arm"), [(0, 0, "wild"), (3, 0, "even"), (3, 1, "new")])
def test_ucb_v_looks_at_the_variance_of_the_window(window, c, arm):
    """Without the term in b the bonus is the variance alone, which a window of 3 forgets."""
    state = history(wild=[5.0, -5.0, 5.0, -5.0, 1.0, 1.0, 1.0], even=[2.0] * 7, new=[0.0, 1.0])
    policy = UCBVPolicy(window=window, zeta=0.5, c=c)
    assert policy.choose(state, np.random.default_rng(0)).arm == arm


def test_ucb_v_counts_pulls_in_flight():
    """ln t grows from ln 4 to ln 404: enough for the arm with one epoch."""
    old, new = ArmHistory("old", (1.0, 1.5, 1.5)), ArmHistory("new", (0.0,))
    flying = ArmHistory("f", pending=400)
    policy = UCBVPolicy(zeta=0.5, c=1)
    alone, crowded = (
        policy.choose(History(Budget(epochs=1000), arms), np.random.default_rng(0)).arm
        for arms in [(old, new), (old, new, flying)]
    )
    assert (alone, crowded) == ("old", "new")
