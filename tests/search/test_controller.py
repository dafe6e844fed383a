"""The loop on a virtual clock: budgets, asynchrony, failures, and death at every line."""

import itertools
import random

import pytest
from replays import CURVES, curve

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.events import DecisionMade, PullFinished, PullStarted
from vaesearch.records import PullReport
from vaesearch.report.tables import results
from vaesearch.search.backends.base import Broken, Finished, Lost
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.ledger import read_ledger

POLICIES = [entry.name for entry in catalogue.POLICIES]


def policy(name="thompson"):
    return catalogue.build("policies", name)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_the_budget_in_epochs_is_spent_exactly(start, name, workers):
    controller, _ = start("l", policy(name), Budget(epochs=37, workers=workers))
    reason = controller.run()
    assert controller.state.history.spent == 37
    assert "37 epochs" in reason


@pytest.mark.parametrize("name", POLICIES)
def test_the_budget_in_seconds_is_kept(start, name):
    controller, _ = start("l", policy(name), Budget(seconds=20.5, workers=2))
    controller.run()
    assert 30 <= controller.state.history.spent <= 40  # two workers, one second an epoch
    assert controller._backend.now() <= 20.5


def test_the_cap_is_kept_and_ends_the_search(start):
    controller, _ = start("l", policy(), Budget(epochs=60, cap=5))
    reason = controller.run()
    assert [a.epochs for a in controller.state.history.arms] == [5, 5, 5]
    assert reason == "no arm may have another epoch"


def test_an_arm_has_one_pull_in_flight_and_pending_is_recorded(start):
    controller, ledger = start("l", policy(), Budget(epochs=40, workers=3))
    controller.run()
    flying = set()
    for event in ledger.events:
        if isinstance(event, DecisionMade):
            assert event.pending == sorted(flying)
            assert event.arm not in flying
            assert event.reason
            flying.add(event.arm)
        if isinstance(event, PullFinished):
            flying.discard(event.arm)


def test_a_worker_goes_on_with_the_arm_it_holds(start):
    curves = {name: curve(-8, -5, 5, seconds=s) for name, s in (("a", 1.0), ("b", 1.3))}
    controller, ledger = start("l", policy("uniform"), Budget(epochs=20, workers=2), curves=curves)
    controller.run()
    workers = {(e.arm, e.worker) for e in ledger.events if isinstance(e, PullStarted)}
    assert len(workers) == 2


class FaultyBackend(ReplayBackend):
    """Turns some outcomes into faults, as told by a list."""

    def __init__(self, curves, workers, faults):
        super().__init__(curves, workers)
        self._faults = iter(faults)

    def wait(self, timeout):
        return [self._spoiled(outcome) for outcome in super().wait(timeout)]

    def _spoiled(self, outcome):
        fault = next(self._faults, None)
        if fault is None:
            return outcome
        if fault == "diverged":
            report = PullReport(outcome.job.pull, (), {}, "loss became nan")
            return Finished(outcome.worker, outcome.job, report)
        return fault(outcome.worker, outcome.job, "killed")


@pytest.mark.parametrize("fault", [Broken, Lost])
def test_faults_cost_no_epochs_and_change_nothing(start, fault):
    budget = Budget(epochs=20)
    quiet, _ = start("quiet", policy(), budget)
    quiet.run()
    faults = [fault if i % 3 == 0 else None for i in range(12)]
    noisy, ledger = start("noisy", policy(), budget, backend=FaultyBackend(CURVES, 1, faults))
    noisy.run()
    assert results(noisy.state) == results(quiet.state)
    attempts = [e.attempt for e in ledger.events if isinstance(e, PullStarted)]
    assert max(attempts) == 2


def test_an_arm_that_kills_three_workers_is_out_and_the_rest_goes_on(start):
    backend = FaultyBackend(CURVES, 1, [Lost, Lost, Lost])
    controller, _ = start("l", policy(), Budget(epochs=20), backend=backend)
    controller.run()
    failed = [a for a in controller.state.history.arms if a.status == "failed"]
    assert len(failed) == 1
    assert "3 attempts: killed" in controller.state.arms[failed[0].name].note
    assert controller.state.history.spent == 20


def test_a_diverged_arm_gives_its_share_to_the_others(start):
    backend = FaultyBackend(CURVES, 1, [None, "diverged"])
    controller, _ = start("l", policy(), Budget(epochs=20), backend=backend)
    controller.run()
    failed = [a for a in controller.state.history.arms if a.status == "failed"]
    assert [controller.state.arms[a.name].note for a in failed] == ["loss became nan"]
    assert controller.state.history.spent == 20


@pytest.mark.parametrize("budget", [Budget(epochs=20), Budget(seconds=20.0)])
def test_an_arm_that_does_not_move_is_given_up(start, budget):
    curves = {"stuck": CURVES["fast"][:3], "free": CURVES["late"]}
    backend = ReplayBackend(curves, short=True)
    controller, _ = start("l", policy("uniform"), budget, curves=curves, backend=backend)
    controller.run()
    assert [a.epochs for a in controller.state.history.arms] == [3, 17]
    assert controller.state.arms["stuck"].note == "its pull came back without an epoch"


def test_when_all_arms_fail_the_search_says_so(start):
    backend = FaultyBackend(CURVES, 1, itertools.repeat("diverged"))
    controller, _ = start("l", policy(), Budget(epochs=20), backend=backend)
    assert controller.run() == "every arm failed"
    assert controller.state.history.spent == 0


class Killed(BaseException):
    """Death of the process, as far as a test can die."""


def run_and_die(start, path, name, budget, seed, lines):
    """Run the search, dying right after the ledger's line number ``lines``."""

    def dies(event, state):
        if event.seq >= lines:
            raise Killed

    with pytest.raises(Killed):
        start(path, policy(name), budget, seed=seed, observers=[dies])[0].run()


@pytest.mark.parametrize("name", POLICIES)
def test_death_after_any_line_changes_nothing_with_one_worker(start, name):
    budget = Budget(epochs=12)
    undisturbed, ledger = start("whole", policy(name), budget)
    undisturbed.run()
    expected = results(undisturbed.state)
    for lines in range(4, len(ledger.events)):
        path = f"{lines}"
        run_and_die(start, path, name, budget, 0, lines)
        resumed, _ = start(path, policy(name), budget)
        resumed.run()
        assert results(resumed.state) == expected, f"died after line {lines}"


def test_dying_again_and_again_spends_the_budget_once(start):
    rng = random.Random(0)
    budget = Budget(epochs=60, workers=3)
    path, lines = "l", 3
    for _ in range(12):
        lines += rng.randrange(4, 14)
        run_and_die(start, path, "thompson", budget, 0, lines)
    controller, ledger = start(path, policy(), budget)
    controller.run()
    assert controller.state.history.spent == 60
    epochs = [
        (e.arm, r["epoch"])
        for e in read_ledger(ledger.path)
        if isinstance(e, PullFinished)
        for r in e.reports
    ]
    assert len(epochs) == len(set(epochs)) == 60


def test_seconds_too_few_for_an_epoch_are_given_as_the_reason(start):
    slow = {name: curve(-8, -5, 5, seconds=3.0) for name in "ab"}
    controller, _ = start("l", policy("uniform"), Budget(seconds=20.0), curves=slow)
    assert controller.run() == "2 of 20 seconds are left, too few for another epoch of any arm"
    assert controller.state.history.spent == 6


class Deserted(ReplayBackend):
    """No worker is left; time goes by."""

    def idle(self):
        return []

    def wait(self, timeout):
        self._now += timeout
        return []


def test_time_is_up_also_where_no_worker_is_left(start):
    backend = Deserted({name: CURVES[name] for name in CURVES}, 1)
    controller, _ = start("l", policy(), Budget(seconds=20.0), backend=backend)
    assert controller.run() == "the budget of 20 seconds is spent"
