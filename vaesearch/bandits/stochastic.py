"""Textbook bandits, which take each epoch's reward for one more draw from a fixed distribution.

A learning curve is no such thing: it rises, so a mean over all epochs lags behind the current
value, most of all for the arms that start slowly. These policies are here as the baselines that
the projected ones (:mod:`vaesearch.bandits.projected`) have to beat. UCB1 and Gaussian Thompson
sampling are kinder to curves than the books: by default they average the latest epochs only.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import (
    best_arm,
    by_name,
    check_at_least,
    check_fraction,
    check_integer,
    fewest_epochs,
    first_pulls,
)
from vaesearch.bandits.core import ArmHistory, Decision, History


def mean_reward(arm: ArmHistory, window: int) -> float:
    """The mean of the last ``window`` rewards, or of all where ``window`` is 0."""
    if not window:
        return arm.totals.sum / arm.epochs
    latest = arm.rewards[-window:]
    return math.fsum(latest) / len(latest)


def reward_scale(arms: Iterable[ArmHistory]) -> float:
    """What stands for the length 1 of the interval [0, 1] that the papers take rewards from.

    It is the range (highest less lowest) of one arm's rewards, the median over the arms that have
    two or more: robust against one arm that has just jumped, and blind to a common level. While
    no arm has two, it is the range of all rewards.

    Returns:
        A scale in units of reward, 0 where all rewards are equal.
    """
    scored = [a for a in arms if a.rewards and a.status != "failed"]
    ranges = [a.totals.greatest - a.totals.least for a in scored if a.epochs > 1]
    if ranges:
        return float(np.median(ranges))
    return float(np.ptp([a.rewards[0] for a in scored])) if scored else 0.0


@dataclass(frozen=True)
class UniformPolicy:
    """Every arm equally: the arm with fewest epochs next, ties by name.

    Args:
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the arm that is least far."""
        arm = fewest_epochs(history.candidates)
        return Decision(arm.name, f"fewest epochs: {arm.epochs}", self.chunk)


@dataclass(frozen=True)
class EpsilonGreedyPolicy:
    """The rule of the report: the best cumulative mean, or with probability ε any arm.

    After one pull of each arm,

        arm = argmax_i (1/n_i) Σ_s r_i(s)   with probability 1 - ε,
              uniform over all candidates    with probability ε,

    so that a leader that never changes gets a share of 1 - ε + ε/K of the later pulls. The report,
    a pull of which is a batch, draws uniformly in its first pass over the data: ``uniform``.

    Assumes that rewards are draws from fixed distributions; on curves it rewards whoever learns
    fast at first and leaves late bloomers behind.

    Paper: Abecidan, report on "Auto-Encoding Variational Bayes" with a bandit of K decoders.

    Args:
        epsilon: probability of a uniform draw, the leader included.
        chunk: epochs per pull.
        uniform: so many epochs of the whole search are drawn uniformly at first.

    Raises:
        InputError: a constant is out of its range.
    """

    epsilon: float = 0.3
    chunk: int = 1
    uniform: int = 0

    def __post_init__(self) -> None:
        check_fraction(epsilon=self.epsilon)
        check_integer(1, chunk=self.chunk)
        check_integer(0, uniform=self.uniform)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the best mean, or any arm."""
        if history.spent + history.pending < self.uniform:
            arms = by_name(history.candidates)
            arm = arms[rng.integers(len(arms))]
            return Decision(arm.name, f"drawn at random, as the first {self.uniform} epochs are")
        first = first_pulls(history, 1, self.chunk)
        if first:
            return first
        arms = by_name(history.candidates)
        values = {a.name: mean_reward(a, 0) for a in arms}
        if rng.random() < self.epsilon:
            arm = arms[rng.integers(len(arms))]
            reason = f"drawn at random among {len(arms)}, as {self.epsilon:.0%} of pulls are"
        else:
            arm = best_arm(arms, values)
            reason = f"best mean reward {values[arm.name]:.4g} over {arm.epochs} epochs"
        return Decision(arm.name, reason, self.chunk, values=values)


@dataclass(frozen=True)
class UCB1Policy:
    """UCB1: the mean reward plus a bonus for arms seldom pulled.

    After one pull of each arm,

        arm = argmax_i mean_i + s sqrt(2 ln t / n_i),

    t epochs in all (those in flight included), n_i of the arm, and s from :func:`reward_scale`,
    where the paper has rewards in [0, 1] and s = 1. ``mean_i`` is over the last ``window``
    epochs; ``window=0`` is the textbook's mean over all of them. n_i always counts all epochs.

    Assumes fixed distributions of rewards; the guarantee of the paper does not hold on curves.

    Paper: Auer, Cesa-Bianchi & Fischer, "Finite-time analysis of the multiarmed bandit problem",
    Machine Learning 2002.

    Args:
        window: epochs to average, 0 for all.
        bonus: multiplies the bonus; 0 is greedy.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    window: int = 3
    bonus: float = 1.0
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(0, window=self.window)
        check_integer(1, chunk=self.chunk)
        check_at_least(0, bonus=self.bonus)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest upper confidence bound."""
        first = first_pulls(history, 1, self.chunk)
        if first:
            return first
        arms = history.candidates
        total = history.spent + history.pending
        scale = self.bonus * reward_scale(history.arms)
        values = {a.name: mean_reward(a, self.window) for a in arms}
        bounds = {
            a.name: values[a.name] + scale * float(np.sqrt(2 * np.log(total) / a.epochs))
            for a in arms
        }
        arm = best_arm(arms, bounds)
        mean, bound = values[arm.name], bounds[arm.name]
        reason = f"mean {mean:.4g}, upper bound {bound:.4g} after {arm.epochs} epochs"
        return Decision(arm.name, reason, self.chunk, values=values)


@dataclass(frozen=True)
class GaussianThompsonPolicy:
    """Thompson sampling on mean rewards with Gaussian posteriors.

    After one pull of each arm, draw θ_i ~ N(mean_i, s²/n_i) for every candidate and pull the
    highest draw. ``mean_i`` and s as in :class:`UCB1Policy`; the paper has s = 1 and a mean over
    all epochs (``window=0``).

    Assumes fixed distributions of rewards with one known variance.

    Paper: Agrawal & Goyal, "Further optimal regret bounds for Thompson sampling", AISTATS 2013.

    Args:
        window: epochs to average, 0 for all.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    window: int = 3
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(0, window=self.window)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest draw."""
        first = first_pulls(history, 1, self.chunk)
        if first:
            return first
        arms = by_name(history.candidates)
        scale = reward_scale(history.arms)
        values = {a.name: mean_reward(a, self.window) for a in arms}
        draws = {
            a.name: float(rng.normal(values[a.name], scale / np.sqrt(a.epochs))) for a in arms
        }
        arm = best_arm(arms, draws)
        reason = f"mean {values[arm.name]:.4g}, best draw {draws[arm.name]:.4g} of {len(arms)}"
        return Decision(arm.name, reason, self.chunk, values=values)
