"""Synthetic groups of arms that get better as they are tuned, for the choice among groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from open_sets import Settings

from vaesearch.bandits.asha import ASHAPolicy
from vaesearch.bandits.core import Decision, History
from vaesearch.bandits.opening import Opening, smallest_group
from vaesearch.records import EpochReport
from vaesearch.search.state import SearchState
from vaesearch.seeding import numpy_generator

EPOCHS = 30
PER_GROUP = 150


@dataclass(frozen=True)
class Group:
    """Arms that end at ``best - spread * |N(0, 1)| * ease``, the k-th proposal with ease_k.

    Attributes:
        best: what no arm of the group passes.
        spread: of untuned arms.
        tuning: proposals after which their distance to the best has fallen to 1 / e (and a fifth
            of it stays).
        pace: epochs of the rise.
    """

    best: float
    spread: float
    tuning: float = 20.0
    pace: float = 4.0


# Default and tuned order differ; slow starters; one good among hopeless; all the same.
CASES: dict[str, tuple[Group, ...]] = {
    "improves with tuning": (
        Group(-3.95, 0.05), Group(-3.85, 0.30, tuning=10), Group(-4.05, 0.05), Group(-4.1, 0.1),
    ),
    "slow starter": (
        Group(-3.95, 0.10, pace=2), Group(-3.85, 0.15, pace=9), Group(-4.0, 0.1, pace=2),
        Group(-4.0, 0.1, pace=4),
    ),
    "one good of six": (Group(-3.85, 0.10), *(Group(-4.15, 0.10),) * 5),
    "all alike": (Group(-3.90, 0.15),) * 4,
}  # fmt: skip


def problem(groups: Sequence[Group], seed: int) -> Settings:
    """All proposals of all groups, in their order: ``g-007`` is the eighth of group ``g``."""
    reports = {}
    for number, group in enumerate(groups):
        rng = np.random.default_rng([seed, number])
        ease = 0.2 + 0.8 * np.exp(-np.arange(PER_GROUP) / group.tuning)
        ends = group.best - group.spread * ease * np.abs(rng.standard_normal(PER_GROUP))
        paces = group.pace * np.exp(rng.normal(0, 0.3, PER_GROUP))
        for k, (end, pace) in enumerate(zip(ends, paces, strict=True)):
            rise = 0.7 * np.exp(-np.arange(EPOCHS) / pace) - 0.7 * np.exp(-EPOCHS / pace)
            rewards = end - rise + rng.normal(0, 0.005, EPOCHS)
            reports[f"group{number}-{k:03d}"] = [
                EpochReport(epoch, float(reward), 1.0, {})
                for epoch, reward in enumerate(rewards, start=1)
            ]
    return Settings(
        reports,
        {name: np.zeros(1) for name in reports},
        {name: name.partition("-")[0] for name in reports},
    )


def in_order(settings: Settings, seed: int) -> Callable[[SearchState, str], str | None]:
    """The next proposal of a group; the group at random where none is asked for."""

    def pick(state: SearchState, group: str) -> str | None:
        names = sorted(set(settings.groups.values()))
        rng = numpy_generator(seed, "flat", len(state.arms))
        wanted = group or str(rng.choice(names))
        number = sum(settings.groups[name] == wanted for name in state.arms)
        return f"{wanted}-{number:03d}" if number < PER_GROUP else None

    return pick


@dataclass(frozen=True)
class RoundRobin:
    """A policy, but for the group of the next arm: the groups in turn."""

    policy: ASHAPolicy

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """The policy's own opening, for the group with fewest arms."""
        opening = self.policy.opening(history, groups, rng)
        return opening and Opening(smallest_group(history, groups), opening.reason)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """The policy's own decision."""
        return self.policy.choose(history, rng)
