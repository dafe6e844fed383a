"""Families of synthetic learning curves: what K arms would score without noise, shape (K, N).

Rewards are on the scale of negative bits/dim: arms end near -3 and differ by 0.05 to 0.5.
Each function takes a generator, the number of arms K and of epochs N.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _epochs(length: int) -> Array:
    return np.arange(1.0, length + 1)


def _exponential(final: Array, gain: Array, time: Array, length: int) -> Array:
    """Curves f - g exp(-(n - 1) / t), which start ``gain`` below ``final``; shape (K, N)."""
    return final[:, None] - gain[:, None] * np.exp(-(_epochs(length) - 1) / time[:, None])


def fast_saturating(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Exponential curves that are flat after a few epochs and seldom cross."""
    return _exponential(
        rng.uniform(-3.4, -3.0, arms), rng.uniform(0.4, 0.8, arms), rng.uniform(1, 4, arms), length
    )


def power_law(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Curves that never quite flatten: final - gain n^-c."""
    final, gain = rng.uniform(-3.4, -3.0, arms), rng.uniform(0.3, 0.9, arms)
    return final[:, None] - gain[:, None] * _epochs(length) ** -rng.uniform(0.4, 1.2, (arms, 1))


def crossing(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Late bloomers: the higher an arm ends, the more slowly it starts."""
    final = np.sort(rng.uniform(-3.4, -3.0, arms))
    time = np.linspace(2, 14, arms) * rng.uniform(0.8, 1.2, arms)
    return _exponential(final, rng.uniform(0.4, 0.8, arms) + (final + 3.4), time, length)


def overfitting(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Curves that turn for good at an epoch between 5 and 15."""
    rise = fast_saturating(rng, arms, length)
    turn, fall = rng.uniform(5, 15, (arms, 1)), rng.uniform(0.003, 0.015, (arms, 1))
    return rise - fall * np.maximum(_epochs(length) - turn, 0)


def equal_arms(rng: np.random.Generator, arms: int, length: int) -> Array:
    """One curve for all: nothing to be found."""
    return np.repeat(fast_saturating(rng, 1, length), arms, axis=0)


def common_drift(rng: np.random.Generator, arms: int, length: int) -> Array:
    """A slow rise of 1 that all arms share hides what separates them."""
    drift = -np.exp(-_epochs(length) / 25)
    own = _exponential(
        rng.uniform(-3.2, -3.0, arms), rng.uniform(0, 0.2, arms), rng.uniform(1, 8, arms), length
    )
    return own + drift


def plateau_then_jump(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Flat curves, half of which jump late; no policy can foresee a jump."""
    base = fast_saturating(rng, arms, length)
    jump = rng.uniform(0.1, 0.4, (arms, 1)) * (rng.random((arms, 1)) < 0.5)
    start = rng.uniform(8, 20, (arms, 1))
    curves: Array = base + jump / (1 + np.exp(start - _epochs(length)))
    return curves


def warm_up_dip(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Rewards fall for two to five epochs, as under a KL warm-up, and then rise."""
    rise = _exponential(
        rng.uniform(-3.4, -3.0, arms), rng.uniform(0.3, 0.6, arms), rng.uniform(4, 9, arms), length
    )
    after = (_epochs(length) - 1) / rng.uniform(2, 3, (arms, 1))
    # t e^(1 - t) is 0 at the first epoch and 1 at its deepest.
    curves: Array = rise - rng.uniform(0.3, 0.6, (arms, 1)) * after * np.exp(1 - after)
    return curves


def early_peak(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Rewards that peak at an epoch between 5 and 15 and decline for good, by 0.1 to 0.4."""
    progress = _epochs(length) / rng.uniform(5, 15, (arms, 1))
    # u - 1 - ln u is convex, 0 at the peak u = 1, and steep before it.
    bend = rng.uniform(0.1, 0.3, (arms, 1))
    curves: Array = rng.uniform(-3.4, -3.0, (arms, 1)) - bend * (progress - 1 - np.log(progress))
    return curves


def diverging(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Power laws, of which each becomes NaN for good at some epoch with probability 0.4.

    The first arm drawn never does.
    """
    curves = power_law(rng, arms, length)
    lost = rng.random(arms) < 0.4
    epoch = np.where(lost, rng.integers(2, 31, arms), length + 1)
    epoch[0] = length + 1
    return np.where(_epochs(length) < epoch[:, None], curves, np.nan)
