"""The projected policies: the searches they must win, and the arithmetic of one decision."""

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History, leader
from vaesearch.bandits.curves import pooled_prior, project
from vaesearch.bandits.projected import ThompsonPolicy, UCBPolicy
from vaesearch.bandits.synthetic import FAMILIES, CurveSet, run_policy

EPOCHS = np.arange(1.0, 81)


def slow_starter_best(seed):
    """Losses a_i + b_i exp(-n / τ_i), the best a with the largest τ, negated."""
    rng = np.random.default_rng(seed)
    final = np.array([[1.0], [1.1], [1.15], [1.2]])
    time_scale = np.array([[12.0], [3], [2], [2]])
    truth = -(final + rng.uniform(0.8, 1.2, (4, 1)) * np.exp(-EPOCHS / time_scale))
    return CurveSet(truth, truth + rng.normal(0, 0.005, truth.shape))


def right_share(spec, runs=20):
    """How often the arm with the best end is recommended."""
    policy = catalogue.build("policies", spec)
    ends = [run_policy(policy, slow_starter_best(seed), 80, seed) for seed in range(runs)]
    return np.mean([leader(end.arms).name == "arm-00" for end in ends])


def test_a_cumulative_mean_misses_the_slow_starter():
    assert right_share("epsilon-greedy") <= 0.2


@pytest.mark.parametrize("spec", ["thompson", "ucb"])
def test_a_projection_finds_the_slow_starter(spec):
    assert right_share(spec) >= 0.8


def checkpoint_regret(policy, family, seed, arms=5, budget=100):
    curves = FAMILIES[family].draw(seed, arms, budget)
    best = leader(run_policy(policy, curves, budget, seed).arms)
    reached = curves.truth[int(best.name[-2:]), np.argmax(best.rewards)]
    return curves.truth.max() - reached


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("spec", ["thompson", "ucb"])
@pytest.mark.parametrize("family", ["crossing", "power"])
def test_beats_uniform(spec, family):
    """Less than half the regret over 40 instances, and lower on at least 30 of them."""
    ours, uniform = (
        np.array([checkpoint_regret(catalogue.build("policies", s), family, i) for i in range(40)])
        for s in (spec, "uniform")
    )
    assert ours.mean() < 0.5 * uniform.mean()
    assert np.sum(ours < uniform) >= 30


def curve(final, gain, pace, epochs):
    return tuple((final - gain * np.exp(-np.arange(epochs) / pace)).tolist())


STATE = History(
    Budget(epochs=60),
    (
        ArmHistory("flat", curve(-3.2, 1.0, 2.0, 9)),
        ArmHistory("rising", curve(-3.0, 1.0, 8.0, 8)),
        ArmHistory("poor", curve(-4.0, 0.5, 2.0, 6)),
    ),
)


def test_values_are_the_projected_means():
    decision = UCBPolicy().choose(STATE, np.random.default_rng(0))
    prior = pooled_prior([a.rewards for a in STATE.arms])
    assert decision.values == {
        a.name: project(a.rewards, STATE.reach(a), prior).mean for a in STATE.arms
    }
    assert decision.arm == "rising"
    value = decision.values["rising"]
    assert decision.reason.startswith(f"projected {value:.4g}±")
    assert f"at epoch {8 + 37} (now {STATE.arms[1].value:.4g}), best 85% quantile of 3" in (
        decision.reason
    )


def test_first_looks_come_first():
    arms = (ArmHistory("a", (1.0,) * 3), ArmHistory("b", (9.0,)), ArmHistory("c", (0.0, 1.0)))
    decision = ThompsonPolicy().choose(History(Budget(epochs=9), arms), np.random.default_rng(0))
    assert (decision.arm, decision.reason) == ("b", "first look: epoch 2 of 3")


def test_an_arm_that_cannot_catch_up_any_more_is_left():
    """The slower but better arm is worth its epochs only while there are enough of them."""
    better_later = {left: History(Budget(epochs=23 + left), STATE.arms) for left in (2, 37)}
    arms = {left: UCBPolicy(0.5).choose(h, np.random.default_rng(0)).arm
            for left, h in better_later.items()}  # fmt: skip
    assert arms == {2: "flat", 37: "rising"}


def test_thompson_pulls_in_proportion_to_belief():
    """Two arms alike get equal shares, one without hope next to none."""
    twins = (ArmHistory("a", curve(-3, 1, 4.0, 6)), ArmHistory("b", curve(-3, 1, 4.0, 6)))
    state = History(Budget(epochs=60), (*twins, STATE.arms[2]))
    rng = np.random.default_rng(0)
    arms = [ThompsonPolicy().choose(state, rng).arm for _ in range(300)]
    assert arms.count("a") / 300 == pytest.approx(0.5, abs=0.1)
    assert arms.count("poor") / 300 < 0.1


def in_flight(budget):
    """A far leader under way, and a hopeless arm that could be pulled."""
    history = History(budget).added("best").added("hopeless")
    for name, level in (("best", -1.0), ("hopeless", -100.0)):
        rewards = [level - 0.5**n for n in range(8)]
        history = history.started(name, 8).observed(name, rewards, [1.0] * 8)
    return history.started("best", 1)


@pytest.mark.parametrize("policy", [ThompsonPolicy(), UCBPolicy()])
def test_a_worker_waits_rather_than_spend_an_epoch_on_a_hopeless_arm(policy):
    decision = policy.choose(in_flight(Budget(epochs=30, workers=2)), np.random.default_rng(0))
    assert decision.arm is None
    assert "waiting for best" in decision.reason


@pytest.mark.parametrize("policy", [ThompsonPolicy(), UCBPolicy()])
def test_with_a_budget_in_seconds_no_worker_waits(policy):
    decision = policy.choose(in_flight(Budget(seconds=30.0, workers=2)), np.random.default_rng(0))
    assert decision.arm == "hopeless"
