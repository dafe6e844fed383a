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


def choose(name, history, seed=0):
    return catalogue.build("policies", name).choose(history, np.random.default_rng(seed))


def history(*arms, epochs=60, cap=None):
    return History(Budget(epochs=epochs, cap=cap, workers=2), arms)


def arm(name, *rewards, **state):
    return ArmHistory(name, rewards, (1.0,) * len(rewards), **state)


MID_SEARCH = history(
    arm("a", -8.0, -6.5, -6.1, -6.0),
    arm("b", -8.0, -7.0, -6.3, -5.9, -5.7),
    arm("c", -7.5, -7.2, -7.0, pending=1),
    arm("d", -8.5, -8.4, -8.3, status="cut"),
    arm("e", -9.0, status="failed"),
    arm("f", -8.0, -7.4, -6.9, -6.5),
)

REWARDS = st.lists(st.floats(-9, -2), max_size=6).map(tuple)
ARMS = st.lists(
    st.builds(
        lambda rewards, pending, status: (rewards, pending * (status == "open"), status),
        REWARDS,
        st.sampled_from([0, 0, 1]),
        st.sampled_from(["open", "open", "open", "cut", "failed"]),
    ),
    min_size=1,
    max_size=6,
)


@st.composite
def histories(draw):
    arms = tuple(
        arm(arm_name(i), *rewards, pending=pending, status=status)
        for i, (rewards, pending, status) in enumerate(draw(ARMS))
    )
    used = sum(a.epochs + a.pending for a in arms)
    cap = draw(st.none() | st.integers(1, 8))
    return history(*arms, epochs=used + draw(st.integers(1, 40)), cap=cap)


@every_policy
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
    elif not any(a.pending for a in drawn.arms):
        # An end with budget left: whoever is not cut is at the cap.
        left = open_arms - set(decision.cut)
        assert all(drawn.arm(arm).epochs >= drawn.budget.cap for arm in left)


@every_policy
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


def test_same_decisions_in_another_process():
    script = (
        "import json, sys, numpy as np\n"
        "from vaesearch import catalogue\n"
        "from vaesearch.bandits.core import History\n"
        "history = History.from_dict(json.load(sys.stdin))\n"
        "build = lambda e: catalogue.build('policies', e.name)\n"
        "rng = np.random.default_rng\n"
        "print(json.dumps({e.name: [build(e).choose(history, rng(s)).arm for s in range(8)]\n"
        "                  for e in catalogue.POLICIES}))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(MID_SEARCH.to_dict()),
        env={**os.environ, "PYTHONHASHSEED": "4321"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = {name: [choose(name, MID_SEARCH, s).arm for s in range(8)] for name in NAMES}
    assert json.loads(out.stdout) == here
    assert any(len(set(arms)) > 1 for arms in here.values())


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


@every_policy
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
     "successive-halving:eta=1"],
)  # fmt: skip
def test_constants_out_of_range_are_refused(spec):
    constant = spec.partition(":")[2].partition("=")[0]
    with pytest.raises(InputError, match=constant):
        catalogue.build("policies", spec)


def test_every_pair_of_workers_gets_distinct_arms():
    for name, seed in itertools.product(NAMES, range(5)):
        pulled = choose(name, MID_SEARCH, seed).arm
        assert pulled != "c", "in flight already"
