"""How many workers could be of use."""

from dataclasses import replace

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.events import ArmAdded, ArmCut, DecisionMade, PullFinished, WorkerJoined
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
    assert demand(searching(Budget(epochs=30)), source=object()) == 4


class Source:
    """Closed, or bounded, as told."""

    def __init__(self, closed=None, live=None):
        self.live = live
        self._closed = closed

    def closed(self, state):
        return self._closed


@pytest.mark.parametrize(
    ("source", "wanted"),
    [(Source(), 8), (Source(closed="all points"), 3), (Source(live=5), 5), (Source(live=2), 3)],
)
def test_machines_are_asked_for_only_for_arms_that_can_come(source, wanted):
    assert demand(searching(Budget(epochs=30, trials=5)), source=source) == wanted


def test_after_the_deadline_only_what_flies_needs_workers():
    lines = [DecisionMade("a0", 1, "", []), DecisionMade("a1", 1, "", ["a0"])]
    for flying in (0, 1, 2):
        state = searching(Budget(seconds=10.0), *lines[:flying])
        late = replace(state, history=state.history.at(10.0))
        assert demand(late) == max(1, flying)


def test_in_the_last_round_those_stay_that_will_score():
    up = [WorkerJoined(f"w{i}", "vm", "cpu") for i in range(3)]
    trained = [DecisionMade("a0", 1, "", []), done("a0", 0)]
    more = [DecisionMade("a1", 1, "", []), done("a1", 1)]
    assert demand(searching(Budget(epochs=2), *up, *trained)) == 1
    assert demand(searching(Budget(epochs=2), *up, *trained, *more)) == 2
    assert demand(searching(Budget(epochs=2), *up[:1], *trained, *more)) == 1
    cut = [ArmCut("a1", ""), ArmCut("a2", "")]
    assert demand(searching(Budget(epochs=90), *up, *trained, *more, *cut)) == 1
