"""Regret of every policy on recorded learning curves, replayed by the real controller.

    vaesearch bandit --backend local --policy uniform --epochs 200 --run-dir runs/a   # records
    python benchmarks/policies_recorded.py runs/a runs/b --epochs 100 --workers 2

Each cell is in thousandths of a unit of reward, mean ± standard error over policy seeds: how far
the best validation reward found stays below the best that was recorded of any arm. Behind it, the
seconds of virtual wall-clock time.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from common import publish, table

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.records import ArmAdded, EpochReport, Event
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, fold

Curves = Mapping[str, Sequence[EpochReport]]


class MemoryLog:
    """Events in a list."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event, *, sync: bool = True) -> Event:
        """Keep ``event``."""
        self.events.append(replace(event, seq=len(self.events)))
        return self.events[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run directories, all arms recorded")
    parser.add_argument("--epochs", type=int, default=100, help="budget in all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=10, help="of each policy")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    publish(report(options), options.out)


def report(options: argparse.Namespace) -> str:
    recorded = [fold(read_ledger(RunDir(run).ledger), Budget()) for run in options.runs]
    rows = [
        [entry.name, *(cell(entry.name, state, options) for state in recorded)]
        for entry in catalogue.POLICIES
    ]
    head = ["policy", *(f"{s.config['dataset']}, seed {s.config['seed']}" for s in recorded)]
    title = f"{options.epochs} epochs, workers: {options.workers}, {options.seeds} policy seeds\n"
    return "\n".join([title, table(head, rows)])


def cell(policy: str, state: SearchState, options: argparse.Namespace) -> str:
    curves = {name: arm.reports for name, arm in state.arms.items()}
    goal = max(r.reward for reports in curves.values() for r in reports)
    found = [replay(policy, curves, state, options, seed) for seed in range(options.seeds)]
    regrets = 1000 * (goal - np.array([reward for reward, _ in found]))
    error = regrets.std(ddof=1) / len(regrets) ** 0.5
    return f"{regrets.mean():.0f}±{error:.0f} ({np.mean([s for _, s in found]):.0f} s)"


def replay(
    policy: str, curves: Curves, state: SearchState, options: argparse.Namespace, seed: int
) -> tuple[float, float]:
    """Best reward found and virtual seconds of one search."""
    cap = min(map(len, curves.values()))
    budget = Budget(epochs=options.epochs, cap=cap, workers=options.workers)
    backend = ReplayBackend(curves, options.workers)
    built = catalogue.build("policies", policy)
    controller = Controller(MemoryLog(), fold([], budget), built, backend, seed=seed)
    for name, arm in state.arms.items():
        controller.record(ArmAdded(name, asdict(arm.arm.settings), arm.parameters))
    controller.run()
    return max(a.value for a in controller.state.history.arms), backend.now()


if __name__ == "__main__":
    main()
