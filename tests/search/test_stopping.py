"""Stopping early: for the leader only, once all were looked at, and with nothing in flight."""

import pytest
from replays import curve

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.events import DecisionMade, PullFinished
from vaesearch.search.stopping import ConfidenceStop, stop_rule


def stop_at(confidence, **probabilities):
    return ConfidenceStop(confidence, lambda history: probabilities)


def history(*arms):
    return History(Budget(epochs=100), arms)


A, B = ArmHistory("a", (-3.0,), (1.0,)), ArmHistory("b", (-4.0,), (1.0,))


def test_the_reason_has_the_numbers():
    expected = "the leader a is best with probability 0.97 >= 0.95"
    assert stop_at(0.95, a=0.97, b=0.03)(history(A, B)) == expected
    assert stop_at(0.97, a=0.97, b=0.03)(history(A, B)).endswith("0.97 >= 0.97")
    assert stop_at(0.99, a=0.9999, b=0.0001)(history(A, B)).endswith("0.999 >= 0.99")


@pytest.mark.parametrize(
    ("probabilities", "arms"),
    [
        ({"a": 0.94, "b": 0.06}, (A, B)),
        ({"a": 0.02, "b": 0.98}, (A, B)),  # b would be best, but is behind: train it
        ({"a": 0.97, "b": 0.03}, (A, B, ArmHistory("new"))),
        ({}, (A, B)),
        ({"a": 1.0}, ()),
        ({"a": 1.0}, (ArmHistory("a"), ArmHistory("b"))),
    ],
)
def test_what_speaks_against_stopping(probabilities, arms):
    assert stop_at(0.95, **probabilities)(history(*arms)) is None


def test_closed_arms_that_were_never_looked_at_do_not_hold_it_up():
    failed = ArmHistory("failed", status="failed")
    assert stop_at(0.95, a=0.97)(history(A, failed)) is not None


def after(epochs, but_not_between=()):
    """Sure of the leader once so many epochs are finished, but for some moments."""

    def probabilities(history):
        sure = history.spent >= epochs and history.spent not in but_not_between
        best = max(history.arms, key=lambda a: a.value)
        return {best.name: 0.97 if sure else 0.6}

    return ConfidenceStop(0.95, probabilities)


@pytest.mark.parametrize("workers", [1, 3])
def test_pulls_in_flight_come_home_and_nothing_new_is_started(start, workers):
    uniform = catalogue.build("policies", "uniform")
    budget = Budget(epochs=60, workers=workers)
    controller, ledger = start("l", uniform, budget, stop=after(20))
    assert "is best with probability 0.97 >= 0.95" in controller.run()
    assert not controller.state.flights
    assert controller.state.history.spent == 20 + workers - 1
    decisions = sum(isinstance(e, DecisionMade) for e in ledger.events)
    assert decisions == sum(isinstance(e, PullFinished) for e in ledger.events)


def test_what_comes_home_may_contradict_and_the_search_goes_on(start):
    uniform = catalogue.build("policies", "uniform")
    budget = Budget(epochs=60, workers=3)
    controller, _ = start("l", uniform, budget, stop=after(20, but_not_between=range(21, 40)))
    controller.run()
    assert controller.state.history.spent >= 40


def test_a_stopped_search_stops_again_and_goes_on_without_the_rule(start):
    uniform = catalogue.build("policies", "uniform")
    budget = Budget(epochs=60)
    for _ in range(2):
        controller, _ = start("l", uniform, budget, stop=after(20))
        controller.run()
        assert controller.state.history.spent == 20
    controller, _ = start("l", uniform, budget)
    controller.run()
    assert controller.state.history.spent == 60


def test_a_clear_winner_ends_a_search_early(start):
    curves = {name: curve(-8, end, 3) for name, end in (("a", -4.0), ("b", -6.0), ("c", -7.0))}
    thompson = catalogue.build("policies", "thompson")
    budget = Budget(epochs=120, cap=60)
    controller, _ = start("l", thompson, budget, curves=curves, stop=stop_rule(0.95))
    assert controller.run().startswith("the leader a is best with probability")
    assert controller.state.history.spent < 60
