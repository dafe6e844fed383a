"""Successive halving, against schedules written out by hand and a direct implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.halving import (
    SuccessiveHalvingPolicy,
    current_round,
    level,
    needed,
    room,
    rounds_to_one,
)
from vaesearch.bandits.synthetic import CurveSet, arm_name, run_policy

RNG = np.random.default_rng(0)


def rising(arms, length=200):
    """Arm i always scores higher than arm i - 1 at the same epoch."""
    curves = np.arange(arms)[:, None] + np.linspace(0, 0.5, length)
    return CurveSet(curves, curves)


SCHEDULES = [
    # arms, budget, eta, epochs of each arm in the end, best arm last
    (8, 24, 2, [1, 1, 1, 1, 3, 3, 7, 7]),
    (4, 16, 2, [2, 2, 6, 6]),
    (4, 19, 2, [2, 2, 7, 8]),
    (5, 60, 2, [4, 4, 10, 21, 21]),
    (3, 10, 2, [1, 4, 5]),
    (9, 54, 3, [3, 3, 3, 3, 3, 3, 12, 12, 12]),
    (2, 7, 2, [3, 4]),
    (1, 5, 2, [5]),
    (6, 4, 2, [1, 1, 1, 1, 0, 0]),
]


@pytest.mark.parametrize(("arms", "budget", "eta", "expected"), SCHEDULES)
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_schedule(arms, budget, eta, expected, workers):
    policy = SuccessiveHalvingPolicy(eta)
    end = run_policy(policy, rising(arms), budget, seed=0, workers=workers)
    assert [a.epochs for a in end.arms] == expected


def direct(curves, budget, eta):
    """Successive halving as a loop: epochs per arm and the arms in the order they are cut."""
    alive, at, left = list(range(len(curves))), 0, budget
    epochs, cut = [0] * len(curves), []
    while len(alive) > 1:
        share = max(left // (len(alive) * rounds_to_one(len(alive), eta)), 1)
        if share * len(alive) > left:
            break
        at, left = at + share, left - share * len(alive)
        for arm in alive:
            epochs[arm] = at
        order = sorted(alive, key=lambda arm: (-curves[arm, :at].max(), arm))
        alive, lost = order[: -(-len(order) // eta)], order[-(-len(order) // eta) :]
        cut += lost
    for turn in range(left):
        epochs[sorted(alive)[turn % len(alive)]] += 1
    return epochs, cut


@settings(max_examples=60, deadline=None)
@given(
    arms=st.integers(1, 12),
    budget=st.integers(1, 80),
    eta=st.integers(2, 4),
    workers=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_equals_the_direct_implementation(arms, budget, eta, workers, seed):
    """With rounded rewards, so that ties occur."""
    curves = np.random.default_rng(seed).normal(size=(arms, 80)).round(1)
    end = run_policy(SuccessiveHalvingPolicy(eta), CurveSet(curves, curves), budget, 0, workers)
    epochs, cut = direct(curves, budget, eta)
    assert [a.epochs for a in end.arms] == epochs
    # The budget may end with a round; then nobody asks any more whom it cuts.
    assert {a.name for a in end.arms if a.status == "cut"} <= {arm_name(i) for i in cut}


def in_round(*arms, epochs=16, workers=2):
    return History(Budget(epochs=epochs, workers=workers), arms)


def test_cuts_say_why():
    arms = [ArmHistory(n, (0.0, r)) for n, r in zip("abcd", (1.0, 4.0, 3.0, 2.0), strict=True)]
    decision = SuccessiveHalvingPolicy().choose(in_round(*arms), RNG)
    assert set(decision.cut) == {"a", "d"}
    assert decision.cut["a"].startswith("place 4 of 4 at epoch 2: ")
    assert decision.cut["a"].endswith("1, the last kept has 3")
    assert decision.cut["d"].endswith("2, the last kept has 3")
    assert decision.arm == "b"
    assert decision.reason == "2 arms to epoch 6, 1 rounds left"


def test_waits_for_the_last_member_of_a_round():
    done, flying = ArmHistory("a", (1.0, 2.0)), ArmHistory("b", (1.0,), pending=1)
    decision = SuccessiveHalvingPolicy().choose(in_round(done, flying, epochs=4), RNG)
    assert decision.arm is None
    assert not decision.cut
    assert decision.reason == "waiting for the rest of 2 arms"


def test_equals_are_kept_by_name():
    arms = [ArmHistory(name, (1.0, 1.0)) for name in "dbca"]
    assert set(SuccessiveHalvingPolicy().choose(in_round(*arms), RNG).cut) == {"c", "d"}


def test_the_share_of_a_failed_arm_goes_to_the_others():
    arms = [ArmHistory(n, (0.0, 1.0)) for n in "abc"]
    failed = ArmHistory("d", status="failed")
    # 16 epochs for 3 arms in 2 rounds: 2 each at first, then 10 // 2; with d it had been 2 and 4.
    assert (
        SuccessiveHalvingPolicy()
        .choose(in_round(*arms, failed), RNG)
        .reason.startswith("2 arms to epoch 7")
    )


def test_a_lone_survivor_at_its_cap_ends_the_search():
    best, other = ArmHistory("a", (3.0,) * 4, (1.0,) * 4), ArmHistory("b", (1.0,) * 3, (1.0,) * 3)
    almost_over = History(Budget(seconds=7.5, cap=4), (best, other), elapsed=7.0)
    decision = SuccessiveHalvingPolicy().choose(almost_over, RNG)
    assert decision.arm is None
    assert set(decision.cut) == {"b"}
    assert decision.reason == "the last arm has all it can get"


def test_a_slow_arm_makes_rounds_in_seconds_shorter():
    """100 s for two arms: the round ends where their mean cost has used up half of it each."""

    def target(cost):
        arms = (
            ArmHistory("a", (1.0,) * 3, (1.0, 1.0, 1.0)),
            ArmHistory("b", (1.0,) * 3, (cost,) * 3),
        )
        history = History(Budget(seconds=100.0), arms, elapsed=3 + 3 * cost)
        reason = SuccessiveHalvingPolicy().choose(history, RNG).reason
        return int(reason.split("epoch ")[1].split(",")[0])

    assert target(1.0) == 50
    assert target(3.0) == 25


# --- arms with caps of their own ---


@given(
    share=st.integers(0, 60),
    arms=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), min_size=1, max_size=5),
)
def test_level_is_the_highest_that_the_share_pays(share, arms):
    starts = [start for start, _ in arms]
    caps = [start + extra for start, extra in arms]

    def price(target):
        return sum(
            max(min(cap, target) - start, 0) for start, cap in zip(starts, caps, strict=True)
        )

    found = level(share, starts, caps)
    assert price(found) <= share
    assert found == max(caps) or price(found + 1) > share


def test_room():
    budget = Budget(epochs=30, seconds=20.0, cap=18)
    arm = ArmHistory("a", (1.0,) * 4, (2.0,) * 4, pending=1)
    limited, full = (
        ArmHistory("b", (1.0,), (1.0,), limit=8),
        ArmHistory("c", (1.0,) * 18, (1.0,) * 18),
    )
    history = History(budget, (arm, limited, full), elapsed=10.0)
    assert room(history, arm) == 4  # 10 s at 2 s each, one of which is in flight
    assert room(history, limited) == 6  # of 30 epochs 23 are finished and one is in flight
    assert room(history, full) == 0
    assert room(History(Budget(epochs=30), (limited,)), limited) == 7
    assert room(History(Budget(), (arm,)), arm) == np.inf


def test_needed():
    arms = [ArmHistory(n, (1.0,) * 4, limit=limit) for n, limit in [("a", 7), ("b", 4), ("c", 9)]]
    for left, count in [(1, 1), (3, 1), (4, 3), (8, 3), (9, 3)]:
        assert needed(History(Budget(epochs=12 + left), tuple(arms)), arms) == count
    assert needed(History(Budget(epochs=20), tuple(arms)), arms[1:]) == 2
    assert needed(History(Budget(epochs=20), tuple(arms)), arms[1:2]) == 0
    assert needed(History(Budget(), tuple(arms)), arms) == 3


def with_limits(*limits, epochs, workers=1):
    """Rising arms, the last one best; what each has in the end."""
    curves = rising(len(limits))
    end = run_policy(SuccessiveHalvingPolicy(), curves, epochs, 0, workers, limits)
    return [a.epochs for a in end.arms]


@pytest.mark.parametrize("workers", [1, 3])
def test_what_an_arm_at_its_cap_leaves_goes_to_the_others(workers):
    assert with_limits(None, 3, epochs=20, workers=workers) == [17, 3]
    # 2 rounds of 12: 3 each, the best stops at 2 and leaves one over; then 13 for two.
    assert with_limits(None, None, None, 2, epochs=24, workers=workers)[3] == 2
    assert sum(with_limits(None, None, None, 2, epochs=24, workers=workers)) == 24


def test_nobody_is_cut_for_arms_that_cannot_use_the_rest():
    """27 epochs for four arms of 7 each: to keep two, or three, would leave some unused."""
    assert with_limits(7, 7, 7, 7, epochs=27) == [6, 7, 7, 7]
    assert with_limits(3, 3, 3, 3, epochs=99) == [3, 3, 3, 3]


def test_a_slow_arm_without_time_for_another_epoch_holds_nobody_up():
    slow = ArmHistory("a", (1.0,) * 2, (30.0,) * 2)
    fast = ArmHistory("b", (0.5,) * 3, (1.0,) * 3)
    history = History(Budget(seconds=80.0), (slow, fast), elapsed=63.0)
    decision = SuccessiveHalvingPolicy().choose(history, RNG)
    assert decision.arm == "b"


def test_what_a_cut_arm_has_in_flight_is_spent():
    """20 less 2 + 3 of the cut arm and 2 + 2 of the others: 11 for two arms in one round."""
    cut = ArmHistory("a", (0.0,) * 2, pending=3, status="cut")
    arms = [ArmHistory(n, (1.0,) * 2) for n in "bc"]
    assert current_round(in_round(cut, *arms, epochs=20), 2).target == 7
