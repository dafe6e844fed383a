"""R-SR and rising bandits, against schedules by hand and direct implementations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.rejects import RisingPolicy, RSRPolicy, phase_ends
from vaesearch.bandits.synthetic import CurveSet, arm_name, run_policy

RNG = np.random.default_rng(0)


def test_phase_ends_by_hand():
    """L = 1/2 + 1/2 + 1/3 + 1/4 = 19/12; 36 / (L m) for m = 4, 3, 2 is 5.7, 7.6 and 11.4."""
    assert phase_ends(4, 40) == [6, 8, 12]
    assert phase_ends(2, 10) == [4]  # L = 1
    assert phase_ends(1, 10) == []
    assert phase_ends(3, math.inf) == [1, 1]
    assert phase_ends(3, 2) == [1, 1]


@given(arms=st.integers(2, 60), each=st.integers(1, 50))
def test_phases_stay_within_the_budget(arms, each):
    ends = phase_ends(arms, arms * each)
    assert ends == sorted(ends)
    assert sum(ends) + ends[-1] <= arms * each


def direct(curves, budget, epsilon):
    """R-SR as a loop: epochs per arm, and the arms in the order they are rejected."""
    count = len(curves)
    shares = 0.5 + sum(1 / i for i in range(2, count + 1))
    alive, epochs, rejected = list(range(count)), [0] * count, []
    for phase in range(1, count):
        end = max(1, math.ceil(round((budget - count) / (shares * (count + 1 - phase)), 9)))
        for target in range(1, end + 1):
            for arm in alive:
                if epochs[arm] < target and sum(epochs) < budget:
                    epochs[arm] += 1
        if sum(epochs) == budget:
            return epochs, rejected
        h = max(1, int(epsilon * end))
        means = {arm: curves[arm, end - h : end].mean() for arm in alive}
        rejected.append(max(alive, key=lambda arm: (-means[arm], arm)))
        alive.remove(rejected[-1])
    epochs[alive[0]] += budget - sum(epochs)
    return epochs, rejected


@settings(max_examples=60, deadline=None)
@given(
    arms=st.integers(1, 8),
    budget=st.integers(1, 90),
    epsilon=st.sampled_from([0.25, 0.5, 1.0]),
    workers=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_r_sr_equals_the_direct_implementation(arms, budget, epsilon, workers, seed):
    """With rewards that are multiples of 1/2, so that ties occur."""
    curves = np.random.default_rng(seed).integers(0, 4, (arms, 90)) / 2
    end = run_policy(RSRPolicy(epsilon), CurveSet(curves, curves), budget, 0, workers)
    epochs, rejected = direct(curves, budget, epsilon)
    assert [a.epochs for a in end.arms] == epochs
    assert [a.name for a in end.arms if a.status == "cut"] == sorted(map(arm_name, rejected))


def state(*arms, **budget):
    return History(Budget(**{"epochs": 40, "workers": 2, **budget}), arms)


def test_r_sr_says_why():
    """The window is the last ⌊6/4⌋ = 1; b's climb before does not help it."""
    arms = [ArmHistory(n, (0.0,) * 5 + (r,)) for n, r in zip("acd", (3.0, 2.0, 5.0), strict=True)]
    decision = RSRPolicy().choose(state(*arms, ArmHistory("b", (9.0,) * 5 + (1.0,))), RNG)
    assert decision.cut == {"b": "last of 4 at epoch 6: mean 1, the next has 2"}
    assert decision.arm == "a"
    assert decision.reason == "3 arms to epoch 8, 2 rounds left"


def test_r_sr_ranks_at_the_end_of_the_phase_whatever_came_later():
    """An arm that is ahead of its phase is compared where the others are."""
    ahead = ArmHistory("a", (0.0,) * 6 + (9.0,) * 3)
    others = [ArmHistory(n, (1.0,) * 6) for n in "bcd"]
    assert set(RSRPolicy().choose(state(ahead, *others), RNG).cut) == {"a"}


def test_a_failed_arm_counts_as_the_rejected_one():
    failed, arms = ArmHistory("a", (1.0,), status="failed"), [ArmHistory(n) for n in "bcd"]
    assert (
        RSRPolicy().choose(state(failed, *arms), RNG).reason == "3 arms to epoch 8, 2 rounds left"
    )


def test_a_phase_waits_for_arms_in_flight_but_not_for_arms_at_their_cap():
    done = [ArmHistory(n, (1.0,) * 6) for n in "bcd"]
    flying = ArmHistory("a", (1.0,) * 5, pending=1)
    waiting = RSRPolicy().choose(state(flying, *done), RNG)
    assert (waiting.arm, waiting.cut) == (None, {})
    full = ArmHistory("a", (2.0,) * 3, limit=3)
    assert set(RSRPolicy().choose(state(full, *done), RNG).cut) == {"d"}


def test_nobody_is_rejected_for_an_arm_that_cannot_use_the_rest():
    """The best arm is at its cap, so the other goes on although it is worse."""
    best = ArmHistory("a", (5.0,) * 20, limit=20)
    other = ArmHistory("b", (1.0,) * 19)
    decision = RSRPolicy().choose(state(best, other, epochs=60), RNG)
    assert (decision.arm, decision.cut) == ("b", {})
    beyond = RSRPolicy().choose(state(best, ArmHistory("b", (1.0,) * 35), epochs=60), RNG)
    assert (beyond.arm, beyond.cut) == ("b", {})


# --- rising ---


def test_upper_bound_by_hand():
    """7 + 10 (7 - 4) / 2; of a curve that fell, the best so far and no slope."""
    policy = RisingPolicy(smooth=2)
    rising, fallen = ArmHistory("a", (0.0, 4.0, 6.0, 7.0)), ArmHistory("b", (0.0, 5.0, 3.0, 4.0))
    history = state(rising, fallen, epochs=18)
    assert policy.upper(history, rising) == 22
    assert policy.upper(history, fallen) == 5
    assert RisingPolicy(smooth=4).upper(history, rising) == math.inf
    decision = policy.choose(history, RNG)
    assert decision.cut == {"b": "can reach 5 at most, a has 7"}
    assert decision.arm == "a"
    limited = ArmHistory("a", (0.0, 4.0, 6.0, 7.0), limit=6)
    assert policy.upper(state(limited), limited) == 10


def test_of_equal_flat_arms_one_stays():
    flat = [ArmHistory(n, (1.0,) * 9) for n in "cab"]
    decision = RisingPolicy().choose(state(*flat), RNG)
    assert set(decision.cut) == {"b", "c"}
    assert decision.arm == "a"


def test_no_arm_is_dropped_for_one_that_cannot_use_the_rest():
    full, flat = ArmHistory("a", (5.0,) * 9, limit=9), ArmHistory("b", (1.0,) * 9)
    decision = RisingPolicy().choose(state(full, flat), RNG)
    assert (decision.arm, decision.cut) == ("b", {})


class Cuts:
    """Keeps the history in which an arm was dropped."""

    def __init__(self, policy):
        self.policy, self.found = policy, {}

    def choose(self, history, rng):
        decision = self.policy.choose(history, rng)
        self.found |= dict.fromkeys(decision.cut, history)
        return decision


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), workers=st.integers(1, 3), smooth=st.integers(1, 7))
def test_on_concave_curves_whoever_is_dropped_could_not_have_won(seed, workers, smooth):
    rng = np.random.default_rng(seed)
    after = np.arange(1.0, 91)
    pace, final, gain = (rng.uniform(low, high, (5, 1)) for low, high in [(1, 20), (0, 1), (1, 2)])
    curves = final - gain * np.exp(-after / pace)
    policy = Cuts(RisingPolicy(smooth))
    end = run_policy(policy, CurveSet(curves, curves), 90, 0, workers)
    assert end.spent == 90
    for name, history in policy.found.items():
        arm = history.arm(name)
        could = curves[int(name[-2:]), history.reach(arm) - 1]
        assert could <= max(a.value for a in history.arms) + 1e-12


def test_rising_drops_a_saturated_arm_and_keeps_the_late_one():
    epochs = np.arange(1.0, 81)
    curves = np.stack([1 - np.exp(-epochs / 3), epochs / 25, 0.5 - np.exp(-epochs / 2)])
    end = run_policy(RisingPolicy(), CurveSet(curves, curves), 80, seed=0)
    assert [a.status for a in end.arms] == ["cut", "open", "cut"]
    assert end.arms[1].epochs > 40


@pytest.mark.parametrize("policy", [RSRPolicy(), RisingPolicy()])
def test_in_seconds_every_worker_keeps_an_arm(policy):
    """To cut down to one arm would leave a worker idle, whose time is paid for."""
    curves = np.arange(5.0)[:, None] + np.linspace(0, 0.001, 200)
    end = run_policy(policy, CurveSet(curves, curves), Budget(seconds=60.0, workers=2), 0)
    assert end.spent >= 118
    assert end.arms[0].status == "cut"
    assert min(end.arms[3].epochs, end.arms[4].epochs) >= 34
