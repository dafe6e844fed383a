"""A search over recorded curves on a virtual clock, for tests of the loop."""

import numpy as np

from vaesearch.records import Arm, ArmAdded, EpochReport, SearchStarted, TrialSettings
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


def start_search(path, policy, budget, *, curves=CURVES, seed=0, backend=None, observers=()):
    """A controller on ``path``'s ledger: opened if there is one, else begun."""
    ledger = Ledger(path)
    state = fold(ledger.events, budget)
    backend = backend or ReplayBackend(curves, budget.workers)
    controller = Controller(
        ledger, state, policy, backend, seed=seed, elapsed=elapsed_seconds(ledger.events),
        observers=observers,
    )  # fmt: skip
    if not state.arms:
        controller.record(SearchStarted("id", "0", {"seed": seed}, {}))
        for name in curves:
            settings = Arm(name, TrialSettings(decoder="mlp")).settings
            controller.record(ArmAdded(name, vars(settings), 1))
    return controller, ledger
