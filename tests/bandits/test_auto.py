"""The default chooses as documented, and says so."""

import math

import numpy as np
import pytest

from vaesearch.bandits.auto import AutoPolicy
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.curve_halving import CurveHalvingPolicy
from vaesearch.bandits.projected import ExpectedImprovementPolicy
from vaesearch.errors import InputError


def history(arms, epochs=4, budget=None):
    """``arms`` arms of ``epochs`` epochs of a second each; by default 20 epochs for each."""
    rewards = [tuple(-1.0 / (1 + i) - 0.5**n for n in range(epochs)) for i in range(arms)]
    return History(
        budget or Budget(epochs=20 * arms),
        tuple(ArmHistory(f"{i:03d}", r, (1.0,) * epochs) for i, r in enumerate(rewards)),
    )


@pytest.mark.parametrize(
    ("arms", "policy", "why"),
    [
        (1, ExpectedImprovementPolicy(minimum=2, chunk=3), "expected-improvement for 1 arms"),
        (200, ExpectedImprovementPolicy(minimum=2, chunk=3), "expected-improvement for 200 arms"),
        (201, CurveHalvingPolicy(chunk=3), "curve-halving for 201 arms"),
    ],
)
def test_the_number_of_arms_decides(arms, policy, why):
    found, reason = AutoPolicy(chunk=3).pick(history(arms))
    assert found == policy
    assert reason.startswith(why)


@pytest.mark.parametrize(
    ("arms", "epochs", "policy"),
    [
        (30, 300, ExpectedImprovementPolicy()),
        (31, 31 * 15 - 1, CurveHalvingPolicy()),
        (31, 31 * 15, ExpectedImprovementPolicy()),
    ],
)
def test_many_arms_on_a_tight_budget_are_halved(arms, epochs, policy):
    found, why = AutoPolicy().pick(history(arms, 2, Budget(epochs=epochs)))
    assert found == policy
    assert why.endswith(f"for {arms} arms, {epochs / arms:.3g} epochs each")


@pytest.mark.parametrize(("epochs", "looks"), [(29, 1), (30, 2), (600, 2)])
def test_where_epochs_are_scarce_one_look_must_do(epochs, looks):
    state = history(10, 0, Budget(epochs=epochs))
    policy, why = AutoPolicy().pick(state)
    assert policy == ExpectedImprovementPolicy(minimum=looks)
    assert why == f"expected-improvement for 10 arms, {epochs / 10:.3g} epochs each"


def test_the_choice_is_that_of_the_whole_budget_not_of_what_is_left():
    early, late = history(5, 1, Budget(epochs=25)), history(5, 5, Budget(epochs=25))
    assert AutoPolicy().pick(early) == AutoPolicy().pick(late)


@pytest.mark.parametrize(("seconds", "looks"), [(10.0, 1), (40.0, 2)])
def test_a_budget_in_seconds_counts_at_the_measured_cost(seconds, looks):
    """Ten arms have had an epoch each of a second: 20 or 50 epochs in all."""
    state = history(10, 1, Budget(seconds=seconds))
    assert AutoPolicy().pick(state)[0] == ExpectedImprovementPolicy(minimum=looks)


def test_without_any_cost_yet_a_budget_in_seconds_is_ample():
    state = history(3, 0, Budget(seconds=9.0))
    assert AutoPolicy().pick(state)[0] == ExpectedImprovementPolicy(minimum=2)
    assert AutoPolicy().choose(state, np.random.default_rng(0)).arm == "000"


@pytest.mark.parametrize("crowd", [3, 9])
def test_decides_what_the_chosen_policy_decides(crowd):
    state = history(6)
    policy, why = AutoPolicy(crowd=crowd).pick(state)
    theirs = policy.choose(state, np.random.default_rng(0))
    ours = AutoPolicy(crowd=crowd).choose(state, np.random.default_rng(0))
    assert (ours.arm, ours.epochs, ours.cut, ours.values) == (
        theirs.arm, theirs.epochs, theirs.cut, theirs.values
    )  # fmt: skip
    assert ours.reason == f"{why}: {theirs.reason}"


def test_arms_that_were_cut_do_not_change_the_choice():
    """A halving that has got down to a few arms goes on as a halving."""
    state = history(6)
    for name in ("000", "001", "002", "003"):
        state = state.closed(name, "cut")
    assert AutoPolicy(crowd=5).pick(state)[0] == CurveHalvingPolicy()


@pytest.mark.parametrize(
    "constants",
    [
        {"many": 0},
        {"crowd": 2.5},
        {"tight": -1.0},
        {"scarce": -1.0},
        {"scarce": math.nan},
        {"chunk": 0},
    ],
)
def test_constants_out_of_range(constants):
    with pytest.raises(InputError, match=next(iter(constants))):
        AutoPolicy(**constants)
