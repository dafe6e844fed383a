"""Rested rising bandits: an arm rises only when it is pulled, and what counts is where it gets to.

The estimators look at the last h = ⌊ε n⌋ of an arm's n rewards: their mean, and the line through
them and the h rewards before, drawn on to a later epoch. Concave curves stay below that line, so
the bound is optimistic. σ, which the papers know, is estimated from the data.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import (
    best_arm,
    check_at_least,
    check_between,
    check_integer,
    first_pulls,
)
from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.bandits.halving import epochs_affordable

LATEST = 15  # second differences that the noise is estimated from


def window(epochs: int, epsilon: float) -> int:
    """Length of the window, h = ⌊ε n⌋, at least 1."""
    # 0.1 * 30 is 3.0000000000000004, but 0.29 * 100 is 28.999999999999996.
    return max(1, int(epsilon * epochs + 1e-9))


def windowed_mean(rewards: tuple[float, ...], epsilon: float) -> float:
    """The mean of the last ⌊ε n⌋ rewards; -inf before any."""
    latest = rewards[-window(len(rewards), epsilon) :]
    return math.fsum(latest) / len(latest) if latest else -math.inf


def drawn_on(rewards: tuple[float, ...], horizon: float, h: int) -> float:
    """The windowed mean with its slope drawn on to epoch ``horizon``.

        (1/h) Σ_l [x(l) + (T - l) (x(l) - x(l - h)) / h],    l = n - h + 1 to n.

    Args:
        rewards: x(1) to x(n), at least 2 h of them.
        horizon: T, an epoch of this arm.
        h: length of the window.
    """
    done = len(rewards)
    recent = np.asarray(rewards[done - h :])
    before = np.asarray(rewards[done - 2 * h : done - h])
    ahead = horizon - np.arange(done - h + 1, done + 1)
    return float(np.mean(recent + ahead * (recent - before) / h))


def width(done: int, horizon: float, h: int) -> float:
    """What :func:`drawn_on` may be wrong by, in units of σ √a: (T - n + h - 1) / h^1.5."""
    return (horizon - done + h - 1) / math.sqrt(h**3)


def noise_scale(arms: Iterable[ArmHistory]) -> float:
    """The standard deviation σ of the noise in units of reward, 0 while no arm has three epochs.

    From the median absolute second difference of each arm's latest rewards, which hides the
    trend and has variance 6σ²; the median over arms, since all are scored on the same images.
    """
    curves = [a.rewards for a in arms if a.epochs > 2 and a.status != "failed"]
    bends = [float(np.median(np.abs(np.diff(c, 2)[-LATEST:]))) for c in curves]
    return float(np.median(bends)) / (0.6745 * math.sqrt(6)) if bends else 0.0


def _highest_bound(
    history: History, ends: dict[str, float], a: float, epsilon: float, chunk: int
) -> Decision:
    """Pull the candidate whose line, drawn on to its horizon, plus its width is highest."""
    sigma = noise_scale(history.arms) * math.sqrt(a)
    values, bounds = {}, {}
    for arm in history.candidates:
        h = window(arm.epochs, epsilon)
        target = max(ends[arm.name], arm.epochs)
        values[arm.name] = drawn_on(arm.rewards, target, h)
        bounds[arm.name] = values[arm.name] + sigma * width(arm.epochs, target, h)
    best = best_arm(history.candidates, bounds)
    reason = (
        f"slope of the last {window(best.epochs, epsilon)} epochs leads to "
        f"{values[best.name]:.4g} at epoch {max(ends[best.name], best.epochs):.0f}, "
        f"upper bound {bounds[best.name]:.4g}"
    )
    return Decision(best.name, reason, chunk, values=values)


def _first_look(epsilon: float) -> int:
    """Epochs that an arm needs before ⌊ε n⌋ is 1 and two windows fit."""
    return max(2, math.ceil(1 / epsilon - 1e-9))


def horizons(history: History) -> dict[str, float]:
    """T for every candidate: the pulls that the whole budget affords, up to the arm's own cap.

    With a budget in seconds, what it affords at the measured cost; until then see
    :meth:`~vaesearch.bandits.core.History.reach`.
    """
    total = epochs_affordable(history)
    ends = {arm.name: min(total, history.cap(arm)) for arm in history.candidates}
    return {
        arm.name: end if math.isfinite(end := ends[arm.name]) else float(history.reach(arm))
        for arm in history.candidates
    }


@dataclass(frozen=True)
class RUCBEPolicy:
    """R-UCBE: the highest upper bound on where an arm will be after the whole budget.

    After the 1/ε pulls of each arm that a window needs,

        arm = argmax_i (1/h) Σ_l [x(l) + (T - l) (x(l) - x(l - h)) / h]
                       + σ (T - n + h - 1) √(a / h³),    l = n - h + 1 to n, h = ⌊ε n⌋,

    with T from :func:`horizons` and σ from :func:`noise_scale`. Pulls in flight are missing from
    the candidates; T counts them. The paper recommends the arm with the highest estimate, a
    search here its best checkpoint.

    Assumes curves that rise and are concave, and a known T. ``a`` may be no larger than a number
    that depends on the unknown gaps; the default of 2 is one standard deviation of the slope's
    own noise. A line through noisy rewards overshoots, so that with few pulls per arm this is
    close to pulling them in turn.

    Paper: Mussi, Montenegro, Trovò, Restelli & Metelli, "Best arm identification for stochastic
    rising bandits", ICML 2024.

    Args:
        a: exploration parameter, 0 for none.
        epsilon: length of the window relative to the pulls of an arm, in (0, 1/2].
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    a: float = 2.0
    epsilon: float = 0.25
    chunk: int = 1

    def __post_init__(self) -> None:
        check_at_least(0, a=self.a)
        check_between(0.01, 0.5, epsilon=self.epsilon)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest upper bound at the horizon."""
        first = first_pulls(history, _first_look(self.epsilon), self.chunk)
        if first:
            return first
        return _highest_bound(history, horizons(history), self.a, self.epsilon, self.chunk)


@dataclass(frozen=True)
class REdUCBPolicy:
    """R-ed-UCB: as :class:`RUCBEPolicy`, with the present t in the place of the horizon T.

    After the 1/ε pulls of each arm that a window needs,

        arm = argmax_i (1/h) Σ_l [x(l) + (t - l) (x(l) - x(l - h)) / h]
                       + σ (t - n + h - 1) √(10 α ln t / h³),

    where t is the number of this pull among those of all arms, those in flight included, but not
    beyond the arm's own cap; σ from :func:`noise_scale`.

    Assumes curves that rise and are concave; made for the sum of all rewards, not for the best
    arm in the end.

    Paper: Metelli, Trovò, Pirola & Restelli, "Stochastic rising bandits", ICML 2022.

    Args:
        alpha: δ_t = t^-α is the probability that a bound may fail with; 0 for no bonus.
        epsilon: length of the window relative to the pulls of an arm, in (0, 1/2].
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    alpha: float = 4.0
    epsilon: float = 0.25
    chunk: int = 1

    def __post_init__(self) -> None:
        check_at_least(0, alpha=self.alpha)
        check_between(0.01, 0.5, epsilon=self.epsilon)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest upper bound at this pull."""
        first = first_pulls(history, _first_look(self.epsilon), self.chunk)
        if first:
            return first
        now = history.spent + history.pending + 1
        ends = {arm.name: min(float(now), history.cap(arm)) for arm in history.candidates}
        a = 10 * self.alpha * math.log(now)
        return _highest_bound(history, ends, a, self.epsilon, self.chunk)
