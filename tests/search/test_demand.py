"""How many workers could be of use."""

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.events import ArmAdded, ArmCut, DecisionMade, PullFinished
from vaesearch.search.demand import demand
from vaesearch.search.state import fold


def searching(budget, *lines, arms=3):
    added = [ArmAdded(f"a{i}", {"decoder": "mlp"}, 10) for i in range(arms)]
    return fold([*added, *lines], budget)


def done(name, pull, epochs=1):
    reports = [
        {"epoch": i + 1, "reward": 0.0, "seconds": 1.0, "metrics": {}} for i in range(epochs)
    ]
    return PullFinished(pull, name, reports, {}, "w")


@pytest.mark.parametrize(
    ("budget", "lines", "wanted"),
    [
        (Budget(epochs=30), [], 3),
        (Budget(epochs=2), [], 2),
        (Budget(seconds=10.0), [], 3),
        (Budget(epochs=30), [DecisionMade("a0", 1, "", [])], 3),
        (Budget(epochs=1), [DecisionMade("a0", 1, "", [])], 1),
        (Budget(epochs=30), [ArmCut("a1", "")], 2),
        (Budget(epochs=30, cap=1), [DecisionMade("a0", 1, "", []), done("a0", 0)], 2),
        (Budget(epochs=30, trials=5), [], 8),
        (Budget(epochs=4, trials=5), [DecisionMade("a0", 2, "", [])], 3),
    ],
)
def test_arms_that_may_be_trained_and_epochs_that_are_left(budget, lines, wanted):
    assert demand(searching(budget, *lines)) == wanted


def test_long_pulls_need_fewer_workers():
    assert demand(searching(Budget(epochs=8)), chunk=4) == 2
    assert demand(searching(Budget(epochs=9)), chunk=4) == 3


def test_a_source_that_says_no_number_may_bring_one_more():
    assert demand(searching(Budget(epochs=30)), open_ended=True) == 4
