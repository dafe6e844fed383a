"""Policies that break the contract: named errors, an untouched ledger, a search that goes on."""

import json
import re

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, Decision, History
from vaesearch.errors import PolicyError
from vaesearch.search.asking import ask, fault_of
from vaesearch.search.ledger import read_ledger

HISTORY = History(
    Budget(epochs=100, seconds=100.0, cap=3, workers=4),
    (
        ArmHistory("free", (-3.0,), (1.0,)),
        ArmHistory("new"),
        ArmHistory("flying", (-3.0,), (1.0,), pending=1),
        ArmHistory("cut", (-3.0,), (1.0,), status="cut"),
        ArmHistory("failed", (-3.0,), (1.0,), status="failed"),
        ArmHistory("capped", (-3.0,) * 3, (1.0,) * 3),
        ArmHistory("slow", (-3.0,) * 2, (30.0,) * 2),
    ),
    elapsed=80.0,
)


class Says:
    """A policy with one answer."""

    def __init__(self, answer):
        self.answer = answer

    def choose(self, history, rng):
        return self.answer() if callable(self.answer) else self.answer


@pytest.mark.parametrize(
    ("answer", "wrong", "allowed"),
    [
        (None, "returned None", "must return a vaesearch.bandits.core.Decision"),
        ("free", "returned 'free'", "Decision"),
        (Decision("nobody", "r"), "'nobody', which is unknown", r"allowed: free, new\.$"),
        (Decision(["free"], "r"), r"\['free'\], which is unknown", "allowed: free, new"),
        (Decision("flying", "r"), "'flying', which is in flight already", "allowed: free, new"),
        (Decision("cut", "r"), "'cut', which was cut", "allowed: free, new"),
        (Decision("failed", "r"), "'failed', which has failed", "allowed: free, new"),
        (Decision("capped", "r"), "has all the 3 epochs that it may have", "allowed: free, new"),
        (Decision("slow", "r"), "takes 30 s per epoch with 20 s left", "allowed: free, new"),
        (Decision("free", "r", cut={"free": "x"}), "'free', which is cut as well", "allowed"),
        (Decision("free", "r", epochs=0), "epochs=0", "integer of at least 1"),
        (Decision("free", "r", epochs=-2), "epochs=-2", "integer of at least 1"),
        (Decision("free", "r", epochs=1.5), "epochs=1.5", "integer of at least 1"),
        (Decision("free", "r", epochs=True), "epochs=True", "integer of at least 1"),
        (Decision("free", "r", epochs="2"), "epochs='2'", "integer of at least 1"),
        (Decision("free", None), "reason is None", "must be text"),
        (Decision("free", "r", cut={"nobody": "x"}), "cuts arm 'nobody', which is unknown",
         "allowed: free, new, flying, capped, slow"),
        (Decision("free", "r", cut={"cut": "x"}), "cuts arm 'cut', which is closed", "allowed"),
        (Decision("free", "r", cut={"new": None}), "cuts arm new for None", "must be text"),
        (Decision("free", "r", cut=["new"]), "cut and values must be mappings", ""),
        (Decision("free", "r", values={"free": np.nan}), r"values\['free'\] is nan", "finite"),
        (Decision("free", "r", values={"free": "1"}), r"values\['free'\] is '1'", "finite"),
        (Decision("free", "r", values={"nobody": 1.0}), "values name 'nobody'", "allowed: free"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_named_with_what_is_allowed(answer, wrong, allowed):
    fault = fault_of(answer, HISTORY)
    assert re.search(wrong, fault)
    assert re.search(allowed, fault)
    assert "\n" not in fault


@pytest.mark.parametrize(
    "answer",
    [
        Decision("free", "r"),
        Decision("new", "r", epochs=50),
        Decision(None, "waiting", epochs=0),
        Decision("free", "r", cut={"new": "x", "flying": "x"}, values={"free": -3.0, "cut": 0}),
    ],
)
def test_a_good_answer_has_no_fault(answer):
    assert fault_of(answer, HISTORY) is None


def test_numbers_of_numpy_become_plain():
    answer = Decision("free", "r", np.int64(2), values={"free": np.float32(-3.0)})
    decision = ask(Says(answer), HISTORY, np.random.default_rng(0))
    assert json.dumps([decision.epochs, decision.values]) == '[2, {"free": -3.0}]'


def test_many_arms_are_not_all_listed():
    history = History(Budget(), tuple(ArmHistory(f"arm-{i}") for i in range(50)))
    assert fault_of(Decision("x", "r"), history).endswith("arm-7 and 42 more.")


class Turns:
    """Uniform until decision ``after``, then something else."""

    def __init__(self, after, answer):
        self.after, self.answer = after, answer
        self.uniform = catalogue.build("policies", "uniform")

    def choose(self, history, rng):
        if history.decisions < self.after:
            return self.uniform.choose(history, rng)
        return self.answer(history)


def in_flight(history):
    return Decision(next(a.name for a in history.arms if a.pending), "again")


def raises(history):
    return {}["missing"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (in_flight, r"policy Turns, decision 7: chose arm '\w+', which is in flight already"),
        (lambda history: Decision("nobody", "r", cut={"late": "x"}), "'nobody', which is unknown"),
        (raises, "policy Turns failed at decision 7: KeyError: 'missing'"),
    ],
)
def test_nothing_is_logged_and_the_search_goes_on_with_another(start, answer, message):
    budget = Budget(epochs=20, workers=2)
    controller, ledger = start("l", Turns(7, answer), budget)
    with pytest.raises(PolicyError, match=message) as caught:
        controller.run()
    assert len(str(caught.value).splitlines()) == 2
    kinds = [e.kind for e in read_ledger(ledger.path)]
    assert kinds.count("decision") == 7
    assert "arm_cut" not in kinds
    resumed, _ = start("l", catalogue.build("policies", "uniform"), budget)
    resumed.run()
    assert resumed.state.history.spent == 20


def test_none_with_nothing_in_flight_ends_the_search(start):
    stops = Turns(7, lambda history: Decision(None, "enough"))
    controller, _ = start("l", stops, Budget(epochs=20, workers=2))
    assert controller.run() == "enough"
    assert controller.state.history.spent == 7
