"""Problems for a policy, made of recorded curves."""

from dataclasses import dataclass, replace
from functools import cached_property

from vaesearch.bandits.core import Budget
from vaesearch.recordings import Curve, Recording
from vaesearch.search.regret import Step, oracle


@dataclass(frozen=True)
class Instance:
    """One problem for a policy: the arms of a recording, all trained with one seed."""

    recording: Recording
    seed: int

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """By arm."""
        return self.recording.of_seed(self.seed)

    @cached_property
    def rewards(self) -> dict[str, list[float]]:
        """Validation rewards by arm, "higher is better"."""
        return {
            name: [self.recording.reward(metric) for metric in curve.valid]
            for name, curve in self.curves.items()
        }

    @property
    def failed(self) -> set[str]:
        """Arms that can go no further than they were recorded."""
        return {name for name, curve in self.curves.items() if curve.failed}

    @property
    def epochs(self) -> int:
        """Recorded in all."""
        return sum(len(curve.valid) for curve in self.curves.values())

    @property
    def seconds(self) -> float:
        """Of training that were recorded in all."""
        return sum(sum(curve.seconds) for curve in self.curves.values())

    @property
    def longest(self) -> int:
        """Epochs of the longest curve."""
        return max((len(curve.valid) for curve in self.curves.values()), default=0)

    @property
    def complete(self) -> bool:
        """Whether every arm was trained equally long, but for those that failed."""
        lengths = {len(curve.valid) for curve in self.curves.values() if not curve.failed}
        return lengths == {self.longest}

    @cached_property
    def best(self) -> Step:
        """The best recorded checkpoint."""
        return oracle(self.rewards)

    def budget(self, budget: Budget) -> Budget:
        """The budget here: where all arms end at one epoch, that is the cap of every policy."""
        if not self.complete:
            return budget
        return replace(budget, cap=min(budget.cap or self.longest, self.longest))


def instances_of(recording: Recording) -> tuple[Instance, ...]:
    """The instances with most arms, one per recorded seed.

    A seed that lacks an arm that another one has would be an easier problem.
    """
    instances = [Instance(recording, seed) for seed in recording.seeds]
    most = max((len(instance.curves) for instance in instances), default=0)
    return tuple(instance for instance in instances if len(instance.curves) == most)
