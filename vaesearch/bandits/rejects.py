"""Policies that give arms up one by one: successive rejects and the rule of rising bandits.

Like successive halving they keep no state: the arms that are closed tell which phase it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import check_between, check_integer, fewest_epochs
from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.bandits.halving import (
    epochs_affordable,
    needed,
    pull_towards,
    unfinished,
)
from vaesearch.bandits.rested import windowed_mean


def phase_ends(arms: int, budget: float) -> list[int]:
    """N_j for phases j = 1 to K - 1: the epoch at which each phase compares its arms.

        N_j = ⌈(T - K) / (L (K + 1 - j))⌉ (at least 1),    L = 1/2 + Σ_{i=2..K} 1/i.

    >>> phase_ends(4, 40)
    [6, 8, 12]
    """
    budget = budget if math.isfinite(budget) else 0  # not known yet: one look each
    shares = 0.5 + sum(1 / i for i in range(2, arms + 1))
    return [
        max(1, math.ceil((budget - arms) / (shares * (arms + 1 - phase)) - 1e-9))
        for phase in range(1, arms)
    ]


@dataclass(frozen=True)
class RSRPolicy:
    """R-SR, successive rejects for rising rewards: in each of K - 1 phases the worst arm leaves.

    In phase j every arm left goes on to epoch N_j (:func:`phase_ends`); then the one with the
    lowest mean of its last ⌊ε N_j⌋ rewards is rejected (of equals the last by name). The
    survivor gets what is left of the budget. A phase does not wait for an arm at its cap; nobody
    is rejected while it takes all to use what is left (:func:`~.halving.needed`); an arm that
    fails counts as the one that its phase rejects.

    Assumes only that curves rise; there is nothing to tune but the window. The late bloomer that
    is last at the end of a phase is lost.

    Paper: Mussi, Montenegro, Trovò, Restelli & Metelli, "Best arm identification for stochastic
    rising bandits", ICML 2024; after Audibert, Bubeck & Munos, COLT 2010.

    Args:
        epsilon: length of the window relative to the pulls of an arm, in (0, 1].
        chunk: epochs per pull; the last pull of a phase is shorter where needed.

    Raises:
        InputError: a constant is out of its range.
    """

    epsilon: float = 0.25
    chunk: int = 1

    def __post_init__(self) -> None:
        check_between(0.01, 1, epsilon=self.epsilon)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the least far arm of the phase, after closing phases that are complete."""
        ends = phase_ends(len(history.arms), epochs_affordable(history))
        cuts: dict[str, str] = {}
        while losers := self._losers(history, ends):
            cuts |= losers
            for name in losers:
                history = history.closed(name, "cut")
        left = sum(a.status == "open" for a in history.arms)
        target = ends[len(ends) + 1 - left] if left > 1 else 1
        return pull_towards(history, target, self.chunk, cuts, max(left - 1, 0))

    def _losers(self, history: History, ends: list[int]) -> dict[str, str]:
        """Whom all complete phases reject that end at the same epoch, with reasons."""
        arms = [a for a in history.arms if a.status == "open"]
        if len(arms) < 2:
            return {}
        phase = len(ends) + 1 - len(arms)
        target = ends[phase]
        if unfinished(history, target):
            return {}
        scores = {a.name: windowed_mean(a.rewards[:target], self.epsilon) for a in arms}
        order = sorted(arms, key=lambda arm: (-scores[arm.name], arm.name))
        keep = max(len(arms) - ends[phase:].count(target), needed(history, order))
        return {
            order[place].name: f"last of {place + 1} at epoch {target}: mean "
            f"{scores[order[place].name]:.4g}, the next has {scores[order[place - 1].name]:.4g}"
            for place in range(len(arms) - 1, keep - 1, -1)
        }


@dataclass(frozen=True)
class RisingPolicy:
    """Rising bandits: pull in turn, and drop an arm that can no longer catch up.

    With y(n) the best reward up to epoch n, an arm after n epochs will end between

        l = y(n)   and   u = y(n) + (T - n) (y(n) - y(n - C)) / C,

    T where it could get with the rest of the budget (:meth:`~.core.History.reach`), and goes as
    soon as l_i ≥ u_j for another arm i. Up to C epochs u is infinite. The paper's further bound
    u ≤ 1 is left out, as rewards here have no upper end. Arms stay as long as it takes them to
    use what is left of the budget (:func:`~.halving.needed`).

    Assumes curves that rise, are concave and free of noise; deterministic. While T / K ≤ C it
    pulls in turn only. A plateau of C epochs counts as the end of an arm.

    Paper: Li, Jiang, Gao, Shao, Zhang & Cui, "Efficient automatic CASH via rising bandits", AAAI
    2020.

    Args:
        smooth: C, epochs that the slope is taken over.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    smooth: int = 7
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, smooth=self.smooth, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the least far arm, after dropping those without prospects."""
        cuts = self._dropped(history)
        for name in cuts:
            history = history.closed(name, "cut")
        arms = sum(a.status == "open" for a in history.arms)
        if not history.candidates:
            return Decision(None, f"waiting for the rest of {arms} arms", cut=cuts)
        arm = fewest_epochs(history.candidates)
        reason = f"epoch {arm.epochs + 1} in turn, {arms} arms may still end best"
        return Decision(arm.name, reason, self.chunk, cuts)

    def _dropped(self, history: History) -> dict[str, str]:
        arms = [a for a in history.arms if a.status == "open"]
        if not arms:
            return {}
        upper = {a.name: self.upper(history, a) for a in arms}
        best = min(arms, key=lambda arm: (-arm.value, arm.name))
        losers = [a for a in arms if a is not best and a.rewards and best.value >= upper[a.name]]
        stay = [a for a in arms if a not in losers]
        order = [*by_bound(stay, upper), *by_bound(losers, upper)]
        keep = max(len(stay), needed(history, order))
        return {
            arm.name: f"can reach {upper[arm.name]:.4g} at most, {best.name} has {best.value:.4g}"
            for arm in order[keep:]
        }

    def upper(self, history: History, arm: ArmHistory) -> float:
        """u, infinite up to C epochs."""
        if arm.epochs <= self.smooth:
            return math.inf
        slope = (arm.value - max(arm.rewards[: -self.smooth])) / self.smooth
        return arm.value + max(history.reach(arm) - arm.epochs, 0) * slope


def by_bound(arms: Sequence[ArmHistory], upper: dict[str, float]) -> list[ArmHistory]:
    """The arms by their upper bound, highest first, ties by name."""
    return sorted(arms, key=lambda arm: (-upper[arm.name], arm.name))
