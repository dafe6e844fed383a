"""Several policies on the same recorded curves with the same budget, and how good each was."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, stdev

import numpy as np

from vaesearch import catalogue
from vaesearch.bandits.core import Budget, Decision, History, Policy
from vaesearch.errors import PolicyError
from vaesearch.recordings import Curve, Recording
from vaesearch.records import Event
from vaesearch.search.regret import (
    Step,
    Trace,
    checkpoint_regret,
    epochs_saved,
    identification_regret,
    near,
    oracle,
)
from vaesearch.search.replays import cut_short, replay, trace_of

ORACLE = "oracle"
UNIFORM = "uniform"


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


def outcomes(
    policy: str, instances: Sequence[Instance], budget: Budget, seeds: Sequence[int]
) -> tuple[Outcome, ...]:
    """Replay ``policy`` on every instance with every policy seed.

    A policy that drew no random number is not replayed again: it would do the same.

    Raises:
        InputError: no such policy.
        PolicyError: a policy of the user's own decided what is not allowed.
    """
    done = []
    for instance in instances:
        for seed in seeds:
            watched = _watched(catalogue.build("policies", policy))
            try:
                outcome = _replay(watched, instance, budget, seed)
            except PolicyError as error:
                fault, *_ = str(error).splitlines()  # the rest is about going on with a search
                raise PolicyError(f"{fault} (replayed on seed {instance.seed})") from error
            done.append(outcome if watched.random else replace(outcome, policy_seed=None))
            if not watched.random:
                break
    return tuple(done)


def oracle_outcomes(instances: Sequence[Instance], budget: Budget) -> tuple[Outcome, ...]:
    """What training the right arm and nothing else comes to."""
    return tuple(_oracle(instance, budget) for instance in instances)


def _oracle(instance: Instance, budget: Budget) -> Outcome:
    reach = {name: _affordable(curve, budget) for name, curve in instance.curves.items()}
    rewards = {name: instance.rewards[name][:epochs] for name, epochs in reach.items()}
    if not any(rewards.values()):
        return Outcome(instance, None, Trace(()), {})
    best = oracle(rewards)
    seconds = np.cumsum(instance.curves[best.arm].seconds)
    steps = tuple(
        Step(epoch, best.arm, epoch, reward, float(seconds[epoch - 1]))
        for epoch, reward in enumerate(rewards[best.arm][: best.epoch], start=1)
    )
    return Outcome(instance, None, Trace(steps), {})


def _affordable(curve: Curve, budget: Budget) -> int:
    """Recorded epochs of an arm that the whole budget pays for."""
    limits = [len(curve.valid), budget.epochs, budget.cap]
    if budget.seconds is not None:
        limits.append(int((np.cumsum(curve.seconds) <= budget.seconds).sum()))
    return min(limit for limit in limits if limit is not None)


def _replay(policy: Policy, instance: Instance, budget: Budget, seed: int) -> Outcome:
    events: list[Event] = []
    replay(
        instance.recording, instance.curves, policy, instance.budget(budget),
        seed=seed, announced=False, observers=(lambda event, _: events.append(event),),
    )  # fmt: skip
    ends = {name: len(instance.curves[name].valid) for name in cut_short(events)}
    return Outcome(instance, seed, trace_of(events), ends)


class _Watched:
    """A policy, and whether it has drawn a random number."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.random = False

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """The policy's decision."""
        before = rng.bit_generator.state
        decision = self._policy.choose(history, rng)
        self.random = self.random or rng.bit_generator.state != before
        return decision


def _watched(policy: Policy) -> _Watched:
    """The policy inside a watch that goes by its name, which is what errors show."""
    watch: type[_Watched] = type(type(policy).__qualname__, (_Watched,), {})
    return watch(policy)


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
