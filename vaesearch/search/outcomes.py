"""What a search on recorded curves came to, in figures, and means of them with their errors."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev

from vaesearch.recordings import Curve
from vaesearch.search.instances import Instance
from vaesearch.search.regret import (
    Step,
    Trace,
    checkpoint_regret,
    epochs_saved,
    identification_regret,
    near,
    oracle_epochs,
)


@dataclass(frozen=True)
class Outcome:
    """What one search came to.

    Attributes:
        instance: what it was about.
        policy_seed: of the policy's randomness; None where nothing was random.
        trace: what was trained, in order.
        cut_short: arms that it wanted beyond their curve, with the last recorded epoch.
    """

    instance: Instance
    policy_seed: int | None
    trace: Trace
    cut_short: dict[str, int]

    @cached_property
    def found(self) -> Step | None:
        """The checkpoint that was handed out; None if every arm failed."""
        return self.trace.found()

    @property
    def curve(self) -> Curve | None:
        """Of the arm that was handed out."""
        return self.instance.curves[self.found.arm] if self.found else None

    @property
    def validation(self) -> float | None:
        """Of the checkpoint, in the units of the recording."""
        return self.curve.valid[self.found.epoch - 1] if self.found and self.curve else None

    @property
    def test(self) -> float | None:
        """The same on test images; None where that was not recorded."""
        return self.curve.test[self.found.epoch - 1] if self.found and self.curve else None

    @property
    def regret(self) -> float | None:
        """How far the checkpoint is below the best that was recorded, on validation."""
        return checkpoint_regret(self.found, self.instance.rewards) if self.found else None

    @property
    def arm_regret(self) -> float | None:
        """How far the arm would be below the best one, both trained to the end."""
        if self.found is None:
            return None
        return identification_regret(self.found.arm, self.instance.rewards)

    @property
    def within(self) -> int | None:
        """Epochs until within 1 % of the best recorded; None if never."""
        arrived = self.trace.until(near(self.instance.best.reward))
        return arrived.spent if arrived else None

    @property
    def saved(self) -> int | None:
        """Epochs that training all arms equally would have needed in addition."""
        return epochs_saved(self.trace, self.instance.rewards, self.instance.failed)

    @property
    def epochs(self) -> int:
        """Spent."""
        return len(self.trace.steps)

    @property
    def seconds(self) -> float:
        """On the clock of the search, until its last epoch."""
        return self.trace.steps[-1].seconds if self.trace.steps else 0.0


@dataclass(frozen=True)
class OracleOutcome(Outcome):
    """What the oracle came to: the trace is that of the arm that ends best."""

    @property
    def within(self) -> int | None:
        """Epochs that the quickest arm to get there needs, which may be another one."""
        if super().within is None:
            return None
        return oracle_epochs(self.instance.rewards, near(self.instance.best.reward))


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error, which is None for a single value.

    Attributes:
        count: outcomes that have a value.
        of: outcomes in all.
    """

    mean: float
    error: float | None
    count: int
    of: int


def estimate(outcomes: Sequence[Outcome], what: str) -> Estimate | None:
    """The mean of an attribute over ``outcomes``; None if none has a value.

    Searches on one instance are no independent evidence about others, so with several instances
    the error is that of the means per instance; with one it is that over policy seeds.
    """
    values: dict[int, list[float]] = defaultdict(list)
    for outcome in outcomes:
        value = getattr(outcome, what)
        if value is not None:
            values[outcome.instance.seed].append(float(value))
    count = sum(map(len, values.values()))
    if not count:
        return None
    several = len({outcome.instance.seed for outcome in outcomes}) > 1
    shown = [fmean(v) for v in values.values()] if several else next(iter(values.values()))
    error = stdev(shown) / len(shown) ** 0.5 if len(shown) > 1 else None
    return Estimate(fmean(shown), error, count, len(outcomes))
