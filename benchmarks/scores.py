"""What runs are worth: regrets on test images, epochs to the goal, ranks, bootstrap intervals.

All regrets are in thousandths of the metric's unit (bits/dim), positive where something was lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from instances import Instance
from runs import Run, Task

from vaesearch.search.regret import near

MILLI = 1000.0
DRAWS = 2000
NEAR_ORACLE = 1.5  # a search that takes at most this many times the oracle's epochs
MEASURES = ("regret", "identification", "error", "far", "near", "never", "spent", "seconds")


@dataclass(frozen=True)
class Cell:
    """One data set, number of arms and budget; every player on the same instances.

    Attributes:
        dataset: its name.
        size: K.
        share: of the full budget.
        players: in the order of the rows.
        values: per measure, (players, instances), the mean over policy seeds.
        ratios: per player, epochs to the goal over the oracle's in every run; infinite if never.
    """

    dataset: str
    size: int
    share: float
    players: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    ratios: Mapping[str, np.ndarray]

    def of(self, player: str, measure: str) -> np.ndarray:
        """One player's values, (instances,)."""
        return self.values[measure][self.players.index(player)]


def score(run: Run, instance: Instance) -> dict[str, float]:
    """All measures of one run.

    - ``regret``: the oracle's test reward within min(N, B) epochs less the recommended
      checkpoint's.
    - ``identification``: the best arm's test reward after N epochs less the recommended arm's.
    - ``error``: whether another arm than the best was recommended; ``far``: whether it is not
      even within 1 % of the best.
    - ``ratio``: epochs to the goal over the oracle's, infinite if never reached; ``near``: whether
      it is at most 1.5; ``never``: whether it is infinite.
    """
    task = run.task
    final = instance.kept(instance.cap)
    best = final.max()
    if run.arm is None:
        raise ValueError(f"{task.player} trained nothing on {instance.digest}")
    arm = instance.names.index(run.arm)
    within = instance.kept(min(instance.cap, instance.epochs(task.share)))
    ratio = np.inf if run.hit is None else run.hit / instance.oracle_epochs
    return {
        "regret": MILLI * (within.max() - instance.test[arm, run.epoch - 1]),
        "identification": MILLI * (best - final[arm]),
        "error": float(final[arm] < best),
        "far": float(final[arm] < near(float(best))),
        "ratio": ratio,
        "near": float(ratio <= NEAR_ORACLE),
        "never": float(np.isinf(ratio)),
        "spent": run.spent,
        "seconds": run.seconds,
    }


def cells(runs: Sequence[Run], instances: Mapping[tuple[str, int, int], Instance]) -> list[Cell]:
    """The runs by cell; players in the order in which they first appear."""
    found: dict[tuple[str, int, float], dict[str, dict[int, list[dict[str, float]]]]] = {}
    for run in runs:
        t: Task = run.task
        scored = score(run, instances[t.dataset, t.size, t.number])
        cell = found.setdefault((t.dataset, t.size, t.share), {})
        cell.setdefault(t.player, {}).setdefault(t.number, []).append(scored)
    return [_cell(key, by_player) for key, by_player in found.items()]


def _cell(
    key: tuple[str, int, float], by_player: Mapping[str, Mapping[int, list[dict[str, float]]]]
) -> Cell:
    numbers = sorted(set.intersection(*(set(found) for found in by_player.values())))

    values = {
        measure: np.array(
            [
                [np.mean([scored[measure] for scored in found[n]]) for n in numbers]
                for found in by_player.values()
            ]
        )
        for measure in MEASURES
    }
    ratios = {
        player: np.array([scored["ratio"] for n in numbers for scored in found[n]])
        for player, found in by_player.items()
    }
    return Cell(*key, tuple(by_player), values, ratios)


def pooled(found: Sequence[Cell], measure: str) -> dict[str, np.ndarray]:
    """Every player's values with the largest budget, the instances of all cells side by side."""
    share = max(cell.share for cell in found)
    chosen = [cell for cell in found if cell.share == share]
    return {p: np.concatenate([c.of(p, measure) for c in chosen]) for p in found[0].players}


def interval(values: np.ndarray) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean over instances.

    >>> interval(np.array([2.0, 2.0, 2.0]))
    (2.0, 2.0)
    """
    low, high = np.quantile(values[_resamples(len(values))].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@cache
def _resamples(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(count, size=(DRAWS, count))


def compare(cell: Cell, player: str, other: str, measure: str = "regret") -> str:
    """``loss`` or ``win`` where the interval of the paired difference excludes 0, else ``tie``."""
    low, high = interval(cell.of(player, measure) - cell.of(other, measure))
    return "loss" if low > 0 else "win" if high < 0 else "tie"


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank per column, 1 for the least, equals sharing their mean rank.

    >>> ranks(np.array([[3.0], [1.0], [1.0]])).ravel().tolist()
    [3.0, 1.5, 1.5]
    """
    below = (values[None, :, :] < values[:, None, :]).sum(axis=1)
    equal = (values[None, :, :] == values[:, None, :]).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2)


def mean_ranks(cell: Cell) -> dict[str, float]:
    """Average rank of every player by regret over the cell's instances."""
    found = ranks(np.round(cell.values["regret"], 6)).mean(axis=1)
    return dict(zip(cell.players, found.tolist(), strict=True))
