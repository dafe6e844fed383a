"""What pulls cost beyond their epochs: kept small by the clock's budget, shown in any case."""

import pytest
from replays import curve

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.events import DecisionMade, PullFinished
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.state import SearchState
from vaesearch.search.switching import switching_note

POLICIES = [entry.name for entry in catalogue.POLICIES]
SLOW = {
    "a": curve(-8, -5.0, 3, epochs=900),
    "b": curve(-8, -5.2, 9, epochs=900),
    "slow": curve(-8, -4.0, 5, epochs=900, seconds=20.0),
}


def search(start, name, budget, curves, path="l", *, overhead=0.0, **options):
    backend = ReplayBackend(curves, budget.workers, overhead=overhead)
    policy = catalogue.build("policies", name)
    controller, ledger = start(path, policy, budget, curves=curves, backend=backend, **options)
    controller.run()
    return controller, ledger


# A pruner begins a trial late, when nobody knows what a pull of it costs.
@pytest.mark.parametrize("name", [name for name in POLICIES if name != "pruner"])
@pytest.mark.parametrize("overhead", [0.0, 0.4])
def test_one_arm_twenty_times_slower_keeps_the_budget_and_wastes_no_epoch(start, name, overhead):
    budget = Budget(seconds=170.0, workers=2)
    controller, ledger = search(start, name, budget, SLOW, overhead=overhead)
    history = controller.state.history
    assert controller._backend.now() <= 170.0
    decided = [e.epochs for e in ledger.events if isinstance(e, DecisionMade) and e.arm == "slow"]
    finished = [e for e in ledger.events if isinstance(e, PullFinished) and e.arm == "slow"]
    # What it costs is known from its first epoch on.
    assert [len(e.reports) for e in finished[1:]] == decided[1:]
    assert history.arm("slow").epochs <= 8
    assert controller._backend.now() > 140.0


@pytest.mark.parametrize("overhead", [0.02, 0.3, 2.0])
def test_switching_takes_a_twentieth_of_a_budget_in_seconds(start, overhead):
    curves = {name: curve(-8, -5, 3, epochs=4000) for name in "abc"}
    budget = Budget(seconds=2000.0)
    controller, ledger = search(start, "uniform", budget, curves, overhead=overhead)
    state = controller.state
    measured = [e.overhead for e in ledger.events if isinstance(e, PullFinished)]
    assert set(measured) <= {overhead, None}
    assert state.switching / state.training < 0.055
    assert controller._backend.now() <= 2000.0
    assert "--chunk" not in switching_note(state)


def test_a_budget_in_epochs_is_blind_to_the_clock_but_says_what_it_cost(start):
    curves = {name: curve(-8, -5, 3) for name in "abc"}
    budget = Budget(epochs=60)
    quick, _ = search(start, "thompson", budget, curves, "quick")
    dear, ledger = search(start, "thompson", budget, curves, "dear", overhead=0.5)
    rewards = [[a.rewards for a in c.state.history.arms] for c in (quick, dear)]
    assert rewards[0] == rewards[1]
    measured = [e.overhead for e in ledger.events if isinstance(e, PullFinished)]
    assert measured == [None, *[0.5] * 59]  # a worker's first pull has its start in it
    assert switching_note(quick.state) == "Switching between arms took 0% of the workers' time."
    assert switching_note(dear.state) == (
        "Switching between arms took 33% of the workers' time. "
        "With --chunk 10, epochs per pull, it would be about 5%."
    )
    chunked, _ = search(start, "thompson", budget, curves, "chunked", overhead=0.5, chunk=10)
    assert switching_note(chunked.state) == "Switching between arms took 5% of the workers' time."


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("workers", [1, 3])
def test_chunks_keep_the_budget_and_the_cap(start, name, workers):
    curves = {name: curve(-8, -5 - 0.1 * n, 3) for n, name in enumerate("abcd")}
    budget = Budget(epochs=83, cap=29, workers=workers)
    controller, ledger = search(start, name, budget, curves, chunk=4)
    assert controller.state.history.spent == 83
    assert max(a.epochs for a in controller.state.history.arms) <= 29
    pulls = [e.epochs for e in ledger.events if isinstance(e, DecisionMade)]
    assert sum(epochs < 4 for epochs in pulls) <= 4 + workers  # at the cap and at the end


def test_without_a_measurement_there_is_nothing_to_say():
    assert switching_note(SearchState()) is None
