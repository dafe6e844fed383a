"""ASHA, against its rule case by case and a direct implementation with one worker."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch.bandits.asha import ASHAPolicy, first_rung
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.synthetic import CurveSet, arm_name, run_policy

RNG = np.random.default_rng(0)


def state(*arms, workers=2, epochs=200):
    return History(Budget(epochs=epochs, workers=workers), arms)


def at_rung(names, epochs=2, **better):
    """Arms with ``epochs`` rewards of 0, or of what ``better`` says."""
    return [ArmHistory(n, (better.get(n, 0.0),) * epochs) for n in names]


def choose(*arms, workers=2, rung=2):
    return ASHAPolicy(eta=3, rung=rung).choose(state(*arms, workers=workers), RNG)


@pytest.mark.parametrize(
    ("arms", "epochs", "rung"), [(9, 90, 4), (5, 100, 12), (2, 21, 10), (50, 500, 3), (50, 20, 1)]
)
def test_first_rung(arms, epochs, rung):
    """⌊T / (K (1 + ⌊log_3 K⌋ 2/3))⌋: 90 / 21, 100 / 8.33, 21 / 2, 500 / 150."""
    assert first_rung(state(*at_rung(map(arm_name, range(arms))), epochs=epochs), 3) == rung


def test_the_best_of_three_is_promoted_at_once():
    decision = choose(*at_rung("abc", b=1.0), ArmHistory("d"))
    assert decision.arm == "b"
    assert decision.reason == "among the best 1 of 3 at this rung, best reward 1: on to epoch 6"


def test_with_two_at_the_rung_another_arm_is_started():
    decision = choose(*at_rung("ab"), ArmHistory("c"))
    assert (decision.arm, decision.reason) == ("c", "start: on to epoch 2")


def test_one_of_three_is_promoted_once():
    """The leader is on its way or further up: the second best is not promoted in its place."""
    flying = ArmHistory("a", (5.0,) * 2, pending=1)
    assert choose(flying, *at_rung("bc", b=1.0), ArmHistory("d")).arm == "d"
    above = ArmHistory("a", (5.0,) * 6)
    assert choose(above, *at_rung("bc", b=1.0), ArmHistory("d")).arm == "d"
    assert choose(above, *at_rung("bcdef", e=1.0)).arm == "e"


def test_ranks_are_those_at_the_rung():
    """What the leader scored later does not count, nor is a late comer judged by epochs past."""
    above = ArmHistory("a", (0.0,) * 2 + (9.0,) * 4)
    assert choose(above, *at_rung("bc", b=1.0)).arm == "b"


def test_an_arm_between_two_rungs_goes_on_first():
    between = ArmHistory("z", (0.0,) * 4)
    decision = choose(between, *at_rung("abc", b=1.0), ArmHistory("d"))
    assert (decision.arm, decision.epochs) == ("z", 1)
    assert decision.reason.startswith("on its way")


def test_higher_rungs_are_promoted_first():
    upper = at_rung("uvw", epochs=6, v=1.0)
    assert choose(*upper, *at_rung("abcdef", a=2.0)).arm == "v"


def test_the_best_goes_on_where_nobody_can_be_promoted():
    decision = choose(*at_rung("ab", b=1.0))
    assert decision.arm == "b"
    assert decision.reason.startswith("the best that is free")
    assert choose(ArmHistory("a", (1.0,) * 6), *at_rung("bc", b=3.0)).arm == "b"
    assert choose(ArmHistory("a", (4.0,) * 6), *at_rung("bc", b=3.0)).arm == "a"


def test_an_arm_at_its_own_cap_counts_and_is_not_promoted():
    """It is one of three, the last or the first of them; where it is first, nobody is promoted."""
    worst, best = ArmHistory("a", (-9.0,), limit=1), ArmHistory("a", (9.0,), limit=1)
    assert choose(worst, *at_rung("bc", b=1.0), ArmHistory("d")).arm == "b"
    assert choose(best, *at_rung("bc", b=1.0), ArmHistory("d")).arm == "d"


def test_more_arms_between_rungs_than_workers_are_no_promotions():
    """r has changed: only the best of them goes on."""
    arms = at_rung("abc", epochs=3, c=1.0)
    assert choose(*arms, workers=2).arm == "c"


def direct(curves, budget, eta, first):
    """ASHA's get_job with one worker, each job run to its end: epochs per arm."""
    rungs, epochs = [[]], [0] * len(curves)
    promoted = [set()]

    def run(arm, rung):
        target = min(first * eta**rung, epochs[arm] + budget - sum(epochs))
        epochs[arm] = target
        if target == first * eta**rung:
            if len(rungs) == rung:
                rungs.append([])
                promoted.append(set())
            rungs[rung].append(arm)

    def score(arm, rung):
        return (-curves[arm, : first * eta**rung].max(), arm)

    def job():
        for rung in range(len(rungs) - 1, -1, -1):
            top = sorted(rungs[rung], key=lambda arm: score(arm, rung))
            for arm in top[: len(top) // eta]:
                if arm not in promoted[rung]:
                    return arm, rung + 1
        if 0 in epochs:
            return epochs.index(0), 0
        rung = max(r for r in range(len(rungs)) if set(rungs[r]) - promoted[r])
        return min(set(rungs[rung]) - promoted[rung], key=lambda arm: score(arm, rung)), rung + 1

    while sum(epochs) < budget:
        arm, rung = job()
        if rung:
            promoted[rung - 1].add(arm)
        run(arm, rung)
    return epochs


@settings(max_examples=80, deadline=None)
@given(
    arms=st.integers(1, 12),
    budget=st.integers(1, 100),
    eta=st.integers(2, 4),
    first=st.integers(1, 4),
    chunk=st.integers(1, 3),
    seed=st.integers(0, 10**6),
)
def test_equals_the_direct_implementation(arms, budget, eta, first, chunk, seed):
    """With rounded rewards, so that ties occur; chunks never run past a rung."""
    curves = np.random.default_rng(seed).normal(size=(arms, 100)).round(1)
    end = run_policy(ASHAPolicy(eta, first, chunk), CurveSet(curves, curves), budget, 0)
    assert [a.epochs for a in end.arms] == direct(curves, budget, eta, first)


def test_no_worker_waits():
    """The arms take turns on four workers although one of them takes 50 times as long."""
    curves = np.random.default_rng(0).normal(size=(9, 60))
    seconds = np.ones((9, 1))
    seconds[4] = 50.0
    budget = Budget(seconds=60.0, workers=4)
    end = run_policy(ASHAPolicy(rung=2), CurveSet(curves, curves, seconds), budget, 0)
    assert end.spent >= 3 * 60
