"""Arms that join while the search is under way, at any moment, for every policy."""

import random
from dataclasses import asdict

import pytest
from replays import curve

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, ArmShrunk, PullFinished
from vaesearch.records import TrialSettings
from vaesearch.search.arms import newcomers
from vaesearch.search.ledger import read_ledger
from vaesearch.search.state import SearchState, fold

POLICIES = [entry.name for entry in catalogue.POLICIES]
SETTINGS = asdict(TrialSettings(decoder="mlp"))
LATE = {"late-1": 7, "late-2": 7, "late-3": 19, "late-4": 30}
CURVES = {
    name: curve(-8, -5 + 0.2 * number, 3 + 2 * number, epochs=80, seconds=1.0 + 0.1 * number)
    for number, name in enumerate(["a", "b", "c", *LATE])
}


class Joining:
    """Hands an arm out once so many epochs are finished; and again whenever it is asked."""

    def __init__(self, moments):
        self.moments = moments

    def next_arms(self, state):
        spent = state.history.spent
        return [ArmAdded(n, SETTINGS, 1) for n, m in self.moments.items() if spent >= m]


def begin(start, path, name, budget, moments, **options):
    policy = catalogue.build("policies", name)
    return start(
        path, policy, budget, curves=CURVES, late=moments, source=Joining(moments), **options
    )


# A pruner goes trial by trial and may not come to the last.
@pytest.mark.parametrize("name", [name for name in POLICIES if name != "pruner"])
@pytest.mark.parametrize("workers", [1, 3])
def test_each_is_looked_at_and_the_budget_is_exact(start, name, workers):
    rng = random.Random(workers)
    for trial in range(3):
        moments = {arm: rng.randrange(0, 40) for arm in LATE}
        budget = Budget(epochs=80, workers=workers)
        controller, ledger = begin(start, f"{trial}", name, budget, moments, seed=trial)
        controller.run()
        history = controller.state.history
        assert history.spent == 80
        assert min(history.arm(arm).epochs for arm in LATE) >= 1
        added = [e.arm for e in ledger.events if isinstance(e, ArmAdded)]
        assert sorted(added) == sorted(CURVES)


class Killed(BaseException):
    """Death of the process, as far as a test can die."""


@pytest.mark.parametrize("name", POLICIES)
def test_deaths_in_between_change_nothing_with_one_worker(start, name):
    budget = Budget(epochs=45)
    undisturbed, _ = begin(start, "whole", name, budget, LATE)
    undisturbed.run()
    rng = random.Random(5)
    last = 3
    for _ in range(8):
        last += rng.randrange(4, 15)

        def dies(event, state, last=last):
            if event.seq >= last:
                raise Killed

        controller, _ = begin(start, "dying", name, budget, LATE, observers=[dies])
        with pytest.raises(Killed):
            controller.run()
    controller, ledger = begin(start, "dying", name, budget, LATE)
    controller.run()
    ended = [
        [(a.name, a.rewards, a.status) for a in search.state.history.arms]
        for search in (controller, undisturbed)
    ]
    assert ended[0] == ended[1]
    epochs = [
        (e.arm, r["epoch"])
        for e in read_ledger(ledger.path)
        if isinstance(e, PullFinished)
        for r in e.reports
    ]
    assert len(epochs) == len(set(epochs)) == 45


def test_an_arm_that_joins_when_all_are_done_keeps_the_search_going(start):
    moments = {"late-1": 9}
    budget = Budget(epochs=40, cap=3)
    controller, _ = begin(start, "l", "uniform", budget, moments | {"late-2": 99})
    assert controller.run() == "no arm may have another epoch"
    assert controller.state.history.arm("late-1").epochs == 3


class Source:
    """Hands out the same whenever it is asked."""

    def __init__(self, *events):
        self.events = events

    def next_arms(self, state):
        return self.events


def test_the_same_arm_again_is_nothing_new_and_another_of_its_name_is_refused():
    state = fold([ArmAdded("a", SETTINGS, 1)], Budget())

    again, new = ArmAdded("a", SETTINGS, 1), ArmAdded("b", SETTINGS, 1)
    other = ArmAdded("a", SETTINGS | {"latent_dim": 5}, 1)
    assert newcomers(Source(again, new, new), state) == [new]
    for events in ((other,), (new, ArmAdded("b", other.settings, 1))):
        with pytest.raises(InputError, match=r"arm '[ab]' is in the search already"):
            newcomers(Source(*events), state)
    assert newcomers(Source(), SearchState()) == []


def test_an_arm_whose_batches_were_halved_may_be_handed_out_again():
    added = ArmAdded("a", SETTINGS | {"batch_size": 32}, 1)
    state = fold([added, ArmShrunk("a", 16, "too large")], Budget())

    assert newcomers(Source(added), state) == []
    with pytest.raises(InputError, match="arm 'a' is in the search already"):
        newcomers(Source(ArmAdded("a", SETTINGS | {"batch_size": 64}, 1)), state)
