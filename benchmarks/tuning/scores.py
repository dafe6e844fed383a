"""What runs are worth beside each other: means, intervals, paired differences, time to a goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuning.record import Run

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
DRAWS = 10_000
LEVEL = 0.9
Runs = Mapping[int, Run]  # by seed


@dataclass(frozen=True)
class Interval:
    """An estimate, and the ends of its bootstrap interval over seeds."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 3, *, sign: bool = False) -> str:
        """``0.123 [0.100, 0.150]``."""
        if not np.isfinite(self.value):
            return "-"
        plus = "+" if sign else ""
        shown = [f"{x:{plus}.{digits}f}" if np.isfinite(x) else "never"
                 for x in (self.value, self.low, self.high)]  # fmt: skip
        return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def interval(values: Sequence[float], *, middle: str = "mean") -> Interval:
    """The mean or median of ``values`` with a percentile bootstrap interval of 90 %.

    >>> interval([1.0, 1.0])
    Interval(value=1.0, low=1.0, high=1.0)
    """
    array = np.asarray(values, float)
    if not len(array):
        return Interval(np.nan, np.nan, np.nan)
    drawn = array[np.random.default_rng(0).integers(0, len(array), (DRAWS, len(array)))]
    # Infinite times are the largest; between two of them there is nothing to interpolate.
    if middle == "mean":
        value, draws = array.mean(), drawn.mean(axis=1)
    else:
        value, draws = _median(array[None])[0], _median(drawn)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="inverted_cdf")
    return Interval(float(value), float(low), float(high))


def _median(rows: np.ndarray) -> np.ndarray:
    """The upper one of an even number: it is a time that was measured."""
    return np.sort(rows, axis=1)[:, rows.shape[1] // 2]


def both(one: Runs, other: Runs) -> list[tuple[Run, Run]]:
    """The runs of equal seeds."""
    return [(one[seed], other[seed]) for seed in sorted(one) if seed in other]


def differences(ours: Runs, theirs: Runs, share: float = 1.0) -> Interval:
    """Of the best bits/dim after ``share`` of the time, seed by seed; below 0 is better."""
    pairs = both(ours, theirs)
    return interval([a.best_at(share * a.seconds) - b.best_at(share * b.seconds)
                     for a, b in pairs])  # fmt: skip


def shares_to_reach(ours: Runs, theirs: Runs, *, mean: bool) -> list[float]:
    """Per seed, the share of the time in which ours is as good as theirs at the end.

    Args:
        ours: runs by seed.
        theirs: likewise.
        mean: theirs on average over seeds, instead of the one with the same seed.
    """
    pairs = both(ours, theirs)
    average = float(np.mean([b.final for _, b in pairs]))
    return [a.reached(average if mean else b.final) / a.seconds for a, b in pairs]


def curve(runs: Runs, shares: np.ndarray) -> np.ndarray:
    """Best bits/dim so far, ``[seed, share]``; infinite before the first epoch."""
    return np.array([[run.best_at(s * run.seconds) for s in shares] for run in runs.values()])
