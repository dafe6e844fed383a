"""What every policy promises, whatever it believes; one list of policies, one set of tests."""

import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.synthetic import FAMILIES, CurveSet, arm_name, run_policy
from vaesearch.errors import InputError

NAMES = [entry.name for entry in catalogue.POLICIES]
every_policy = pytest.mark.parametrize("name", NAMES)
# Optuna's pruners train trial by trial in the order of joining, and may stop the last one.
in_any_order = pytest.mark.parametrize("name", [name for name in NAMES if name != "pruner"])


def choose(name, history, seed=0):
    return catalogue.build("policies", name).choose(history, np.random.default_rng(seed))


def history(*arms, epochs=60, cap=None):
    return History(Budget(epochs=epochs, cap=cap, workers=2), arms)


def arm(name, *rewards, cost=1.0, **state):
    return ArmHistory(name, rewards, (cost,) * len(rewards), **state)


MID_SEARCH = history(
    arm("a", -8.0, -6.5, -6.1, -6.0),
    arm("b", -8.0, -7.0, -6.3, -5.9, -5.7),
    arm("c", -7.5, -7.2, -7.0, pending=1),
    arm("d", -8.5, -8.4, -8.3, status="cut"),
    arm("e", -9.0, status="failed"),
    arm("f", -8.0, -7.4, -6.9, -6.5),
)

REWARDS = st.lists(st.floats(-9, -2), max_size=6).map(tuple)
# Arms in any state, with unequal costs and, some of them, a limit of their own.
ARM = st.builds(
    lambda rewards, pending, status, more, cost: {
        "rewards": rewards,
        "seconds": (cost,) * len(rewards),
        "pending": pending * (status == "open"),
        "status": status,
        "limit": None if more is None else len(rewards) + pending + more,
    },
    REWARDS,
    st.sampled_from([0, 0, 1]),
    st.sampled_from(["open", "open", "open", "cut", "failed"]),
    st.none() | st.integers(0, 5),
    st.sampled_from([1.0, 1.0, 20.0]),
)


@st.composite
def histories(draw):
    """Any state of a search whose budget is in epochs, in seconds, or in both."""
    drawn = draw(st.lists(ARM, min_size=1, max_size=6))
    arms = tuple(ArmHistory(arm_name(i), **state) for i, state in enumerate(drawn))
    used = sum(a.epochs + a.pending for a in arms)
    more, left = draw(st.sampled_from([(40, None), (40, 50.0), (None, 50.0)]))
    budget = Budget(
        epochs=more and used + draw(st.integers(1, more)),
        seconds=left and 100 + draw(st.floats(0.1, left)),
        cap=draw(st.none() | st.integers(1, 8)),
        workers=draw(st.integers(1, 3)),
    )
    return History(budget, arms, elapsed=100.0 if left else 0.0)


@in_any_order
@settings(max_examples=40, deadline=None)
@given(drawn=histories(), seed=st.integers(0, 9))
def test_any_history(name, drawn, seed):
    """Right arm, right size, no cut of the last arm, and never idle without reason."""
    if not drawn.candidates:
        return
    decision = choose(name, drawn, seed)
    open_arms = {a.name for a in drawn.arms if a.status == "open"}
    assert decision.epochs >= 1
    assert decision.reason
    assert set(decision.cut) < open_arms
    assert all(np.isfinite(value) for value in decision.values.values())
    if decision.arm is not None:
        assert decision.arm in {a.name for a in drawn.candidates} - set(decision.cut)
    else:
        # There is budget, and there are arms to use it: only what is in flight may be a reason.
        assert any(a.pending for a in drawn.arms)


@in_any_order
@settings(max_examples=30, deadline=None)
@given(drawn=histories(), seed=st.integers(0, 9), data=st.data())
def test_the_order_of_arms_does_not_matter(name, drawn, seed, data):
    if not drawn.candidates:
        return
    shuffled = replace(drawn, arms=tuple(data.draw(st.permutations(drawn.arms))))
    assert choose(name, shuffled, seed).arm == choose(name, drawn, seed).arm


@every_policy
@settings(max_examples=20, deadline=None)
@given(drawn=histories())
def test_survives_json(name, drawn):
    """A decision taken from a stored history is the decision taken from the history."""
    stored = History.from_dict(json.loads(json.dumps(drawn.to_dict())))
    assert stored == drawn
    if drawn.candidates:
        assert choose(name, stored) == choose(name, drawn)


# A search of its own and decisions in a given state: same seeds, same answers everywhere.
ELSEWHERE = """
import json, sys, numpy as np
from vaesearch import catalogue
from vaesearch.bandits.core import History
from vaesearch.bandits.synthetic import FAMILIES, run_policy
history = History.from_dict(json.load(sys.stdin))
curves = FAMILIES["crossing"].draw(1, 4, 20)
found = {}
for entry in catalogue.POLICIES:
    policy = catalogue.build("policies", entry.name)
    arms = [policy.choose(history, np.random.default_rng(s)).arm for s in range(8)]
    found[entry.name] = arms, run_policy(policy, curves, 40, seed=3, workers=2).to_dict()
json.dump(found, sys.stdout)
"""


def test_same_decisions_in_another_process():
    out = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=json.dumps(MID_SEARCH.to_dict()),
        env={**os.environ, "PYTHONHASHSEED": "4321"},
        capture_output=True,
        text=True,
        check=True,
    )
    there, curves = json.loads(out.stdout), FAMILIES["crossing"].draw(1, 4, 20)
    for name in NAMES:
        arms, end = there[name]
        assert arms == [choose(name, MID_SEARCH, s).arm for s in range(8)]
        policy = catalogue.build("policies", name)
        assert History.from_dict(end) == run_policy(policy, curves, 40, seed=3, workers=2)
    assert any(len(set(arms)) > 1 for arms, _ in there.values())


@every_policy
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_uses_exactly_the_budget(name, workers):
    curves = FAMILIES["crossing"].draw(1, arms=4, length=47)
    end = run_policy(catalogue.build("policies", name), curves, 47, seed=0, workers=workers)
    assert end.spent == 47
    assert not any(a.pending for a in end.arms)


@every_policy
def test_respects_the_cap(name):
    curves = FAMILIES["fast"].draw(1, arms=3, length=30)
    budget = Budget(epochs=60, cap=7)
    end = run_policy(catalogue.build("policies", name), curves, budget, seed=0)
    assert max(a.epochs for a in end.arms) == 7


@every_policy
@pytest.mark.parametrize("workers", [1, 3])
def test_respects_limits_of_single_arms_and_uses_the_rest(name, workers):
    """The best arm may have three epochs only; what it leaves is for the others."""
    curves = FAMILIES["fast"].draw(1, arms=4, length=30)
    limits = [None] * 4
    limits[int(curves.truth[:, -1].argmax())] = 3
    budget = Budget(epochs=50, workers=workers)
    end = run_policy(catalogue.build("policies", name), curves, budget, 0, limits=limits)
    assert end.spent == 50
    assert all(a.epochs <= end.cap(a) for a in end.arms)


@every_policy
def test_a_budget_in_seconds(name):
    """Simulated epochs take one second each, side by side on two workers."""
    curves = FAMILIES["fast"].draw(2, arms=4, length=40)
    budget = Budget(seconds=20.0, workers=2)
    end = run_policy(catalogue.build("policies", name), curves, budget, seed=0)
    assert 36 <= end.spent <= 40


@every_policy
def test_failed_arms_are_left_alone(name):
    """An arm diverges at epoch 3 of its own; the others get its share of the budget."""
    curves = FAMILIES["fast"].draw(4, arms=3, length=40)
    rewards = curves.rewards.copy()
    rewards[1, 2:] = np.nan
    end = run_policy(catalogue.build("policies", name), CurveSet(curves.truth, rewards), 40, 0)
    assert end.spent == 40
    assert end.arm(arm_name(1)).epochs <= 2


@in_any_order
def test_a_late_arm_gets_its_turn(name):
    """An arm that joins without any epoch is looked at before the search ends."""
    drawn = MID_SEARCH.added("late")
    for _ in range(30):
        decision = choose(name, drawn)
        for lost in decision.cut:
            drawn = drawn.closed(lost, "cut")
        if decision.arm == "late":
            return
        if decision.arm is None:
            drawn = drawn.observed("c", [-6.9], [1.0])
        else:
            pulled = drawn.arm(decision.arm)
            drawn = drawn.started(pulled.name, 1).observed(pulled.name, [pulled.value], [1.0])
    pytest.fail("never pulled")


@every_policy
@pytest.mark.parametrize("reward", [0.0, -3.0, 1e9])
def test_constant_rewards(name, reward):
    curves = np.full((3, 20), reward)
    end = run_policy(catalogue.build("policies", name), CurveSet(curves, curves), 20, seed=0)
    assert end.spent == 20


@every_policy
def test_a_single_arm(name):
    curves = FAMILIES["fast"].draw(0, arms=1, length=12)
    end = run_policy(catalogue.build("policies", name), curves, 12, seed=0)
    assert end.spent == 12
    assert end.arms[0].status != "cut"


@every_policy
@pytest.mark.parametrize(("factor", "shift"), [(2.0**-30, 0.0), (2.0**30, 0.0), (1.0, 1024.0)])
def test_units_do_not_matter(name, factor, shift):
    """Powers of two are exact, so that decisions must be the same, not only alike."""
    truth = np.round(FAMILIES["crossing"].draw(3, arms=4, length=30).rewards * 2**20) / 2**20
    policy = catalogue.build("policies", name)
    first, second = (
        run_policy(policy, CurveSet(curves, curves), 30, seed=5)
        for curves in (truth, truth * factor + shift)
    )
    assert [a.epochs for a in first.arms] == [a.epochs for a in second.arms]


@every_policy
def test_larger_chunks(name):
    curves = FAMILIES["fast"].draw(0, arms=3, length=31)
    policy = replace(catalogue.build("policies", name).__class__(), chunk=4)
    end = run_policy(policy, curves, 31, seed=0)
    assert end.spent == 31
    assert end.decisions < 16


@pytest.mark.parametrize(
    "spec",
    [*(f"{name}:chunk=0" for name in NAMES), "thompson:minimum=0", "ucb:level=1.5",
     "epsilon-greedy:epsilon=-0.1", "epsilon-greedy:epsilon=nan", "epsilon-greedy:epsilon=often",
     "ucb1:window=-1", "ucb1:bonus=-1", "gaussian-thompson:window=1.5",
     "successive-halving:eta=1", "ucb-v:window=-1", "ucb-v:zeta=-1", "ucb-v:c=nan",
     "top-two-thompson:beta=2", "top-two-thompson:beta=often", "top-two-thompson:draws=-1",
     "top-two-thompson:window=-1", "asha:eta=1", "asha:rung=-1", "asha:rung=1.5",
     "r-sr:epsilon=0", "r-sr:epsilon=1.5", "r-ucbe:epsilon=0.6", "r-ucbe:a=-1",
     "r-ed-ucb:epsilon=0", "r-ed-ucb:alpha=-1", "rising:smooth=0"],
)  # fmt: skip
def test_constants_out_of_range_are_refused(spec):
    constant = spec.partition(":")[2].partition("=")[0]
    with pytest.raises(InputError, match=constant):
        catalogue.build("policies", spec)


def test_every_pair_of_workers_gets_distinct_arms():
    for name, seed in itertools.product(NAMES, range(5)):
        pulled = choose(name, MID_SEARCH, seed).arm
        assert pulled != "c", "in flight already"
