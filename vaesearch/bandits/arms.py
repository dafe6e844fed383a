"""What a policy knows of one arm, and of what it may spend."""

from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Literal

from vaesearch.bandits.totals import Totals

Status = Literal["open", "cut", "failed"]
RECENT = 9  # pulls of an arm whose overhead is remembered


@dataclass(frozen=True)
class Budget:
    """What a search may spend.

    Attributes:
        epochs: total epochs over all arms, or None.
        seconds: wall-clock seconds, or None. Whichever limit is met first ends the search.
        cap: most epochs one arm may have, or None.
        workers: how many pulls can run side by side.
        trials: most arms that may ever join; None where the arms are fixed.
    """

    epochs: int | None = None
    seconds: float | None = None
    cap: int | None = None
    workers: int = 1
    trials: int | None = None


@dataclass(frozen=True)
class ArmHistory:
    """One arm as its policy sees it.

    Attributes:
        name: opaque identifier.
        rewards: one per finished epoch, in order.
        seconds: what each of these epochs cost.
        pending: epochs in flight.
        status: ``open`` (may be pulled), ``cut`` (by the policy) or ``failed`` (diverged, lost).
        limit: most epochs this arm may have, or None; the search's own cap holds as well.
        overheads: seconds beyond its epochs of each of the latest pulls (load, save, transfer).
        group: arms of one group are alike, such as those with the same decoder.
    """

    name: str
    rewards: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    pending: int = 0
    status: Status = "open"
    limit: int | None = None
    overheads: tuple[float, ...] = ()
    group: str = ""

    @cached_property
    def epochs(self) -> int:
        """Finished epochs."""
        return len(self.rewards)

    @cached_property
    def value(self) -> float:
        """The best reward so far: the checkpoint that would be handed out; -inf before any."""
        return self.totals.greatest

    @cached_property
    def totals(self) -> Totals:
        """Sum and range of the rewards; the next history carries them on."""
        return Totals().plus(self.rewards)

    @cached_property
    def cost(self) -> float | None:
        """Median seconds per epoch, the first (warm-up) one left out where there are others."""
        measured = self.seconds[1:] or self.seconds
        return float(median(measured)) if measured else None

    @cached_property
    def switch_cost(self) -> float | None:
        """Median seconds that a pull costs beyond its epochs; None before any was measured."""
        return float(median(self.overheads)) if self.overheads else None
