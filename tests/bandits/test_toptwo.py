"""Top-two Thompson sampling: the law of its draws, and its challenger by hand."""

import numpy as np
import pytest

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.toptwo import TopTwoThompsonPolicy


def history(**rewards):
    arms = tuple(ArmHistory(name, tuple(values)) for name, values in rewards.items())
    return History(Budget(epochs=1000), arms)


def share_of(policy, state, name, draws=3000):
    rng = np.random.default_rng(0)
    return np.mean([policy.choose(state, rng).arm == name for _ in range(draws)])


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 1.0])
def test_law_with_two_arms(beta):
    """The best draw is a with probability p = Φ(√2): a is pulled β p + (1 - β) (1 - p)."""
    state = history(a=[1.5, 0.5, 1.0, 1.0], b=[0.5, -0.5, 0.0, 0.0])
    best = 0.9214
    share = share_of(TopTwoThompsonPolicy(beta, window=0), state, "a")
    assert share == pytest.approx(beta * best + (1 - beta) * (1 - best), abs=0.025)


def test_law_with_three_arms():
    """P(j) = β p_j + (1 - β) Σ_{i ≠ j} p_i p_j / (1 - p_i), with p of the best draw."""
    state = history(a=[1.5, 0.5], b=[1.2, 0.2], c=[0.5, -0.5])
    draws = np.random.default_rng(1).normal([1.0, 0.7, 0.0], 1 / np.sqrt(2), (10**5, 3))
    p = np.bincount(draws.argmax(axis=1)) / len(draws)
    for j, name in enumerate("abc"):
        others = sum(p[i] * p[j] / (1 - p[i]) for i in range(3) if i != j)
        law = 0.5 * p[j] + 0.5 * others
        assert share_of(TopTwoThompsonPolicy(window=0), state, name) == pytest.approx(
            law, abs=0.03
        )


def test_challenger_without_draws():
    """Equal rewards leave nothing to draw: a leads; (3 - 2) / √(1/4 + 1) < 0.6 / √(1/4 + 1/16)."""
    state = history(a=[3.0] * 4, b=[2.0], c=[2.4] * 16)
    decision = TopTwoThompsonPolicy(beta=0, draws=3).choose(state, np.random.default_rng(0))
    assert decision.arm == "b"
    assert decision.reason == "mean 2, to tell it from a, the best draw"
    better = history(a=[3.0] * 4, b=[2.0], c=[2.6] * 16)
    assert TopTwoThompsonPolicy(beta=0).choose(better, np.random.default_rng(0)).arm == "c"


def test_a_single_candidate_is_pulled():
    flying = ArmHistory("b", (2.0,), pending=1)
    state = History(Budget(epochs=9), (ArmHistory("a", (1.0,)), flying))
    assert TopTwoThompsonPolicy(beta=0).choose(state, np.random.default_rng(0)).arm == "a"


def test_the_runner_up_gets_more_than_under_plain_sampling():
    """What it is for: of two arms close at the top, both are pulled, whoever leads."""
    state = history(a=[1.0, 1.2] * 20, b=[0.95, 1.15] * 20, c=[0.0, 0.2] * 20)
    top_two = share_of(TopTwoThompsonPolicy(), state, "b")
    plain = share_of(TopTwoThompsonPolicy(beta=1.0), state, "b")
    assert top_two > 0.4 > plain
