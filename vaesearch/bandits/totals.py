"""Sum and range of an arm's rewards, carried along so that a decision need not read them all.

A pull may be a single batch, and an arm then has tens of thousands of rewards.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Totals:
    """What is to be known of all rewards of an arm.

    Attributes:
        partials: a few floats whose sum without rounding is that of all rewards, so that
            :attr:`sum` is the one that ``math.fsum`` finds, to the last bit (Shewchuk 1997).
        least, greatest: of all rewards.
    """

    partials: tuple[float, ...] = ()
    least: float = math.inf
    greatest: float = -math.inf

    def plus(self, rewards: Iterable[float]) -> "Totals":
        """With more rewards."""
        partials, least, greatest = list(self.partials), self.least, self.greatest
        for reward in rewards:
            _add(partials, reward)
            least, greatest = min(least, reward), max(greatest, reward)
        return Totals(tuple(partials), least, greatest)

    @property
    def sum(self) -> float:
        """Of all rewards, rounded once."""
        return math.fsum(self.partials)


def _add(partials: list[float], x: float) -> None:
    """Add ``x`` to a sum that is kept as floats which do not overlap, smallest first."""
    kept = 0
    for y in partials:
        if abs(x) < abs(y):
            x, y = y, x
        high = x + y
        low = y - (high - x)  # what the addition rounded off
        if low:
            partials[kept] = low
            kept += 1
        x = high
    if not math.isfinite(x):  # infinity and NaN have nothing rounded off
        kept = 0
    partials[kept:] = [x]
