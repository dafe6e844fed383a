"""A search over recorded curves on a virtual clock, for tests of the loop."""

import numpy as np

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import Config
from vaesearch.events import ArmAdded, SearchFinished, SearchStarted
from vaesearch.records import Arm, EpochReport, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.ledger import Ledger
from vaesearch.search.state import elapsed_seconds, fold


def curve(start, end, pace, epochs=60, seconds=1.0):
    """An exponential learning curve without noise."""
    rewards = end - (end - start) * np.exp(-np.arange(1, epochs + 1) / pace)
    return [
        EpochReport(n, float(r), seconds, {"bpd": float(-r)})
        for n, r in enumerate(rewards, start=1)
    ]


CURVES = {
    "fast": curve(-8, -5.0, 3),
    "late": curve(-8, -4.0, 15),
    "slow": curve(-8, -6.0, 10),
}


def start_search(path, policy, budget, *, curves=CURVES, late=(), seed=0, backend=None, **options):
    """A controller on ``path``'s ledger: opened if there is one, else begun.

    Arms named in ``late`` do not join at the beginning.
    """
    ledger = Ledger(path)
    state = fold(ledger.events, budget)
    backend = backend or ReplayBackend(curves, budget.workers)
    controller = Controller(
        ledger, state, policy, backend, seed=seed, elapsed=elapsed_seconds(ledger.events),
        **options,
    )  # fmt: skip
    if not state.arms:
        controller.record(SearchStarted("id", "0", {"seed": seed}, {}))
        for name in [name for name in curves if name not in late]:
            settings = Arm(name, TrialSettings(decoder="mlp")).settings
            controller.record(ArmAdded(name, vars(settings), 1))
    return controller, ledger


def write_run(folder, *, curves=CURVES, finished=True, **options):
    """A run directory as a search over ``curves`` leaves it; returns the ledger's events."""
    config = Config(**{"policy": "uniform", "seed": 3, "backend": "local"} | options)
    folder.mkdir()
    ledger = Ledger(folder / "ledger.jsonl")
    budget = Budget(config.epochs, config.seconds, config.max_epochs_per_arm)
    policy = catalogue.build("policies", config.policy)
    controller = Controller(
        ledger, fold([], budget), policy, ReplayBackend(curves), seed=config.seed,
        chunk=config.chunk,
    )  # fmt: skip
    controller.record(SearchStarted("id", "0", config.to_dict(), {}))
    for name in curves:
        controller.record(ArmAdded(name, vars(TrialSettings(decoder="mlp")), 1))
    reason = controller.run()
    if finished:
        controller.record(SearchFinished(reason, controller.state.ranking[0]))
    ledger.close()
    return ledger.events
