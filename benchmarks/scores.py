"""What runs are worth: regrets on test images, epochs to the goal, ranks, bootstrap intervals.

All regrets are in thousandths of the metric's unit (bits/dim), positive where something was lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from instances import Instance
from runs import Run, Task

from vaesearch.search.regret import near

MILLI = 1000.0
DRAWS = 2000
MEASURES = ("regret", "identification", "error", "far", "ratio", "spent", "seconds")


@dataclass(frozen=True)
class Cell:
    """One data set, number of arms and budget; every player on the same instances.

    Attributes:
        dataset: its name.
        size: K.
        share: of the full budget.
        players: in the order of the rows.
        values: per measure, (players, instances), the mean over policy seeds.
    """

    dataset: str
    size: int
    share: float
    players: tuple[str, ...]
    values: Mapping[str, np.ndarray]

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
    - ``ratio``: epochs to the goal over the oracle's; infinite if never reached.
    """
    task = run.task
    final = instance.kept(instance.cap)
    best = final.max()
    if run.arm is None:
        raise ValueError(f"{task.player} trained nothing on {instance.digest}")
    arm = instance.names.index(run.arm)
    within = instance.kept(min(instance.cap, instance.epochs(task.share)))
    hit = np.inf if run.hit is None else run.hit
    return {
        "regret": MILLI * (within.max() - instance.test[arm, run.epoch - 1]),
        "identification": MILLI * (best - final[arm]),
        "error": float(final[arm] < best),
        "far": float(final[arm] < near(float(best))),
        "ratio": hit / instance.oracle_epochs,
        "spent": run.spent,
        "seconds": run.seconds,
    }


def cells(runs: Sequence[Run], instances: Mapping[tuple[str, int, int], Instance]) -> list[Cell]:
    """The runs by cell; players in the order in which they first appear.

    Seeds of a player on one instance are averaged; for ratios, which may be infinite, the median
    is taken.
    """
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

    def mean(measure: str, scored: list[dict[str, float]]) -> float:
        values = [s[measure] for s in scored]
        return float(np.median(values) if measure == "ratio" else np.mean(values))

    values = {
        measure: np.array(
            [[mean(measure, found[n]) for n in numbers] for found in by_player.values()]
        )
        for measure in MEASURES
    }
    return Cell(*key, tuple(by_player), values)


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
    rng = np.random.default_rng(len(values))
    means = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


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
