"""The default chooses as documented, and says so."""

import numpy as np
import pytest

from vaesearch.bandits.auto import MANY, AutoPolicy
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.curve_halving import CurveHalvingPolicy
from vaesearch.bandits.projected import ExpectedImprovementPolicy
from vaesearch.errors import InputError


def history(arms, epochs=4):
    return History(
        Budget(epochs=20 * arms),
        tuple(
            ArmHistory(f"{i:03d}", tuple(-1.0 / (1 + i) - 0.5**n for n in range(epochs)))
            for i in range(arms)
        ),
    )


@pytest.mark.parametrize(
    ("arms", "policy", "why"),
    [
        (1, ExpectedImprovementPolicy(chunk=2), "expected-improvement, 1 arms"),
        (MANY, ExpectedImprovementPolicy(chunk=2), f"expected-improvement, {MANY} arms"),
        (MANY + 1, CurveHalvingPolicy(chunk=2), f"curve-halving, for {MANY + 1} arms"),
    ],
)
def test_the_number_of_arms_decides(arms, policy, why):
    assert AutoPolicy(chunk=2).pick(history(arms)) == (policy, why)


@pytest.mark.parametrize("many", [3, 9])
def test_decides_what_the_chosen_policy_decides(many):
    state = history(6)
    policy, why = AutoPolicy(many=many).pick(state)
    theirs = policy.choose(state, np.random.default_rng(0))
    ours = AutoPolicy(many=many).choose(state, np.random.default_rng(0))
    assert (ours.arm, ours.epochs, ours.cut, ours.values) == (
        theirs.arm, theirs.epochs, theirs.cut, theirs.values
    )  # fmt: skip
    assert ours.reason == f"{why}: {theirs.reason}"


def test_arms_that_were_cut_do_not_change_the_choice():
    """A halving that has got down to a few arms goes on as a halving."""
    state = history(6)
    for name in ("000", "001", "002", "003"):
        state = state.closed(name, "cut")
    assert AutoPolicy(many=5).pick(state)[0] == CurveHalvingPolicy()


@pytest.mark.parametrize("constants", [{"many": 0}, {"many": 2.5}, {"chunk": 0}])
def test_constants_out_of_range(constants):
    with pytest.raises(InputError, match=next(iter(constants))):
        AutoPolicy(**constants)
