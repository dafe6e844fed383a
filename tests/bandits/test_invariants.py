"""What holds at every step of every search, whatever the policy, the curves and the clock."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch import catalogue
from vaesearch.bandits.core import Budget, History
from vaesearch.bandits.synthetic import FAMILIES, CurveSet, run_policy

NAMES = [entry.name for entry in catalogue.POLICIES]
every_policy = pytest.mark.parametrize("name", NAMES)
# Optuna's pruners train trial by trial in the order of joining, and may stop the last one.
in_any_order = pytest.mark.parametrize("name", [name for name in NAMES if name != "pruner"])


class Watched:
    """A policy whose every decision is held against what all policies promise."""

    def __init__(self, policy):
        self.policy = policy
        self.trace = []

    def choose(self, history, rng):
        self.check_history(history)
        stored = History.from_dict(json.loads(json.dumps(history.to_dict())))
        assert stored == history
        again = self.policy.choose(stored, copy.deepcopy(rng))
        decision = self.policy.choose(history, rng)
        assert again == decision
        self.check_decision(history, decision)
        self.trace.append((decision.arm, decision.epochs, sorted(decision.cut)))
        return decision

    @staticmethod
    def check_history(history):
        assert history.epochs_left >= 1
        assert all(a.epochs + a.pending <= history.cap(a) for a in history.arms)
        assert sum(bool(a.pending) for a in history.arms) < history.budget.workers

    @staticmethod
    def check_decision(history, decision):
        open_arms = {a.name for a in history.arms if a.status == "open"}
        assert set(decision.cut) < open_arms
        if decision.arm is None:
            assert any(a.pending for a in history.arms), "idle with budget and arms left"
        else:
            free = {a.name for a in history.candidates}
            assert decision.arm in free - set(decision.cut)
            assert decision.epochs >= 1


class Shuffled:
    """A policy that sees the arms in another order at every decision."""

    def __init__(self, policy, seed):
        self.policy = policy
        self.order = np.random.default_rng(seed)

    def choose(self, history, rng):
        arms = [history.arms[i] for i in self.order.permutation(len(history.arms))]
        return self.policy.choose(replace(history, arms=tuple(arms)), rng)


@st.composite
def searches(draw):
    """Arguments of run_policy: pulls of random length, so that reports come in any order."""
    seed, arms, cap = (
        draw(st.integers(0, 10**6)),
        draw(st.integers(1, 5)),
        draw(st.integers(2, 12)),
    )
    rng = np.random.default_rng(seed)
    family = draw(st.sampled_from(["crossing", "early peak", "equal", "warm-up dip"]))
    curves = FAMILIES[family].draw(seed, arms, cap)
    diverges = draw(st.sampled_from([0.0, 0.0, 0.05]))
    rewards = np.where(rng.random((arms, cap)) < diverges, np.nan, curves.rewards)
    seconds = rng.lognormal(0, draw(st.sampled_from([0.0, 1.0])), (arms, cap))
    seconds *= rng.choice([1.0, 1.0, 20.0], (arms, 1))
    budget = Budget(
        epochs=draw(st.integers(1, 30)),
        seconds=draw(st.none() | st.floats(0.5, 40)),
        workers=draw(st.integers(1, 4)),
    )
    limits = draw(st.lists(st.none() | st.integers(1, 12), min_size=arms, max_size=arms))
    return {
        "curves": CurveSet(curves.truth, rewards, seconds),
        "budget": budget,
        "seed": seed % 7,
        "limits": limits,
    }


@every_policy
@settings(max_examples=12, deadline=None)
@given(search=searches(), chunk=st.sampled_from([1, 1, 3]))
def test_at_every_step_of_a_search(name, search, chunk):
    """And at the end nothing is in flight, and something is used up: budget, time or arms."""
    policy = replace(catalogue.build("policies", name), chunk=chunk)
    end = run_policy(Watched(policy), **search)
    assert not any(a.pending for a in end.arms)
    assert end.epochs_left >= 0
    assert end.elapsed <= (end.budget.seconds or np.inf)
    assert end.epochs_left < 1 or end.seconds_left <= 0 or not end.candidates


@every_policy
@settings(max_examples=8, deadline=None)
@given(search=searches())
def test_without_failures_and_deadline_no_epoch_is_left_unused(name, search):
    """Cut arms are given up for arms that can use what is left: the budget, or all caps."""
    curves = CurveSet(search["curves"].truth, search["curves"].truth, search["curves"].seconds)
    search |= {"curves": curves, "budget": replace(search["budget"], seconds=None)}
    end = run_policy(catalogue.build("policies", name), **search)
    room = sum(end.cap(a) for a in end.arms)
    assert end.spent == min(end.budget.epochs, room)


@in_any_order
@settings(max_examples=8, deadline=None)
@given(search=searches(), order=st.integers(0, 99))
def test_the_order_of_arms_does_not_change_the_trace(name, search, order):
    policy = catalogue.build("policies", name)
    assert run_policy(Shuffled(policy, order), **search) == run_policy(policy, **search)


@in_any_order
def test_fifty_arms(name):
    """Ten epochs each; whoever decides must stay in time and budget with many arms, too."""
    curves = FAMILIES["power"].draw(0, arms=50, length=6)
    watched = Watched(catalogue.build("policies", name))
    end = run_policy(watched, curves, Budget(epochs=120, workers=4), seed=0)
    assert end.spent == 120
    assert min(a.epochs for a in end.arms) >= 1
