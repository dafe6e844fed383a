"""Where learning curves will be: a Bayesian mixture of curve families, in closed form.

Model j says that the reward of an arm after epoch n, in units of what arms typically gain, is

    y(n) = s + b g_j(n) - d (n - 1) + B(log n) + ε(n),

where g_j, which is 0 at epoch 1, rises like a power law, 1 - n^-c, or exponentially,
1 - exp(-(n - 1) / τ), for several c and τ; half of the models let a curve turn for good (d > 0),
as that of a VAE does which overfits. ε is noise, N(0, σ²). B is a Brownian motion in log n of
variance ρ²σ² per unit: no family fits a real curve, and where the misfit is taken for independent
noise, a few epochs make the mixture sure of a wrong end. The coefficients (s, b, d) and σ² have a
conjugate normal-inverse-gamma prior that is pooled over arms, so posterior, evidence and
prediction are closed forms, and models are averaged by their evidence.

The covariance of B + ε is the same for all arms and does not depend on how long a curve is: its
Cholesky factor whitens every curve and every g_j once, and the statistics of the first n epochs
are running sums. All arms are fitted in one batch of 3x3 systems.

Papers: Domhan, Springenberg & Hutter, "Speeding up automatic hyperparameter optimization of deep
neural networks by extrapolation of learning curves", IJCAI 2015 (a mixture of curve families,
there by MCMC); Swersky, Snoek & Adams, "Freeze-thaw Bayesian optimization", 2014 (a process over
epochs whose uncertainty grows). The constants were chosen on curves of the digits data set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from vaesearch.bandits.basis import (
    MODELS,
    POWERS,
    RISES,
    ROUGHNESS,
    TIMES,
    design,
    running,
    tables,
)
from vaesearch.bandits.normal import Array
from vaesearch.bandits.symmetric import dot, invert, multiply, quadratic

EXPONENTIAL = 0.2  # prior probability of the exponential rises
TURNING = 0.3  # prior probability of the models with a decline
DECLINE = 0.005  # prior mean and standard deviation of d, in typical gains per epoch
NOISE_SHAPE = 2.0  # of the inverse gamma prior of σ²: worth 4 epochs of another arm's noise
EARLY_NOISE = 0.04  # typical σ, in typical gains, until some curve is long enough to tell
LONG = 10  # epochs after which second differences show noise and not the bend of the curve
LEAST_NOISE = 0.005  # in typical gains: rewards of no network are noiseless
LEAST_GAIN = 0.3  # b is at least this in the prior, in typical gains
DEEPEST = 5.0  # a reward further below the arm's best counts as that, in typical gains
START_SPREAD = 3.0  # prior standard deviation of s


@dataclass(frozen=True)
class Curves:
    """Rewards of K arms, side by side.

    Attributes:
        rewards: shape (K, L); zero behind the end of a curve.
        epochs: how long each is, shape (K,).
    """

    rewards: Array
    epochs: NDArray[np.intp]

    @classmethod
    def of(cls, curves: Sequence[Sequence[float]]) -> "Curves":
        """From the rewards of each arm; every arm must have one."""
        epochs = np.array([len(curve) for curve in curves])
        rewards = np.zeros((len(curves), epochs.max()))
        seen = np.arange(rewards.shape[1]) < epochs[:, None]
        rewards[seen] = np.fromiter(chain.from_iterable(curves), float, count=epochs.sum())
        return cls(rewards, epochs)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which entries are rewards, shape (K, L)."""
        return np.arange(self.rewards.shape[1]) < self.epochs[:, None]


@dataclass(frozen=True)
class Prior:
    """What the curves of all arms say before one of them is looked at.

    Arms trained on the same images improve by similar amounts and are equally noisy, which is
    what there is to go by after one, two or three epochs of an arm. Adding a constant to all
    rewards, or multiplying them by one, does the same to every projection.

    Attributes:
        level: where curves start, in units of reward.
        scale: the typical gain, in units of reward; all else is in units of it.
        spread: standard deviation of where curves start.
        gains: for each rise the typical b, taken as mean and standard deviation, shape (RISES,).
        noise: typical σ.
    """

    level: float
    scale: float
    spread: float
    gains: Array
    noise: float


def pooled_prior(curves: Curves) -> Prior:
    """The prior that all arms share."""
    seen = curves.seen
    starts = curves.rewards[:, 0]
    level = float(np.median(starts))
    spread = 1.4826 * float(np.median(np.abs(starts - level)))
    grown = curves.epochs > 1
    highest = np.where(seen, curves.rewards, -np.inf).max(axis=1)
    lowest = np.where(seen, curves.rewards, np.inf).min(axis=1)
    gain = float(np.median((highest - lowest)[grown])) if grown.any() else 0.0
    # Where nothing varies, any scale will do that is neither 0 nor lost in rounding.
    scale = max(gain, LEAST_GAIN * spread, 1e-12 * abs(level), 1e-30)
    relative = np.where(seen, (curves.rewards - starts[:, None]) / scale, 0.0)
    return Prior(
        level,
        scale,
        START_SPREAD * max(1.0, spread / scale),
        _typical_gains(relative, curves.epochs, grown),
        _typical_noise(relative, curves.epochs),
    )


def _typical_gains(relative: Array, epochs: NDArray[np.intp], grown: NDArray[np.bool_]) -> Array:
    """For each rise the median over arms of the least-squares b."""
    if not grown.any():
        return np.ones(RISES)
    rises = tables(relative.shape[1]).rises[:, : relative.shape[1]]
    squares = running(rises.T**2)
    gains = np.maximum(relative[grown] @ rises.T, 0) / squares[epochs[grown]]
    return np.maximum(np.median(gains, axis=0), LEAST_GAIN)


def _typical_noise(relative: Array, epochs: NDArray[np.intp]) -> float:
    """A robust σ: second differences hide the trend and have variance 6σ²."""
    long = epochs >= LONG
    if not long.any():
        return max(EARLY_NOISE, LEAST_NOISE)
    # Of each arm the latest first, as one table; what is before its first epoch goes last.
    places = epochs[long, None] - 1 - np.arange(17)
    window = np.take_along_axis(relative[long], np.maximum(places, 0), axis=1)
    bends = np.where(places[:, 2:] < 0, np.inf, np.abs(np.diff(window, 2, axis=1)))
    bends.sort(axis=1)
    arms, counts = np.arange(len(bends)), np.sum(places[:, 2:] >= 0, axis=1)
    medians = (bends[arms, (counts - 1) // 2] + bends[arms, counts // 2]) / 2
    return max(float(np.median(medians)) / (0.6745 * 6**0.5), LEAST_NOISE)


@dataclass(frozen=True)
class Posterior:
    """The posterior of all models for K arms, in units of the prior's scale above its level.

    Attributes:
        prior: says what the units are.
        epochs: finished by each arm, shape (K,).
        best: the best reward of each arm so far, shape (K,).
        weights: probability of each model, shape (K, MODELS).
        means: of the coefficients (s, b, d), shape (K, MODELS, 3).
        covariances: of the coefficients, packed, in units of σ², shape (K, MODELS, 6).
        sigmas: σ, shape (K, MODELS).
        offsets: whitened rewards on the whitened drift, shape (K,).
    """

    prior: Prior
    epochs: NDArray[np.intp]
    best: Array
    weights: Array
    means: Array
    covariances: Array
    sigmas: Array
    offsets: Array

    def at(self, epochs: Array) -> tuple[Array, Array]:
        """Means and scales of y without noise, per arm at a later epoch of its own.

        Given a model this is a Student t with 4 + n degrees of freedom; it is taken as normal of
        the same scale.

        Args:
            epochs: shape (K,); not before the last one seen.

        Returns:
            Two arrays of shape (K, MODELS).
        """
        drift_designs, drift_squares = self._drifts
        rows = design(epochs) - drift_designs
        means = dot(rows, self.means) + self.offsets[:, None]
        wander = ROUGHNESS**2 * np.log(epochs) - drift_squares
        variances = quadratic(self.covariances, rows) + wander[:, None]
        return means, self.sigmas * np.sqrt(np.maximum(variances, 1e-12))

    @cached_property
    def _drifts(self) -> tuple[Array, Array]:
        """Of the tables of epochs, what belongs to each arm's last one."""
        known = tables(int(self.epochs.max()))
        return known.drift_designs[self.epochs], known.drift_squares[self.epochs]

    def rewards(self, values: Array) -> Array:
        """``values`` in units of reward."""
        return self.prior.level + self.prior.scale * values


def fit(curves: Curves, prior: Prior | None = None) -> Posterior:
    """The posterior of all models for all arms, by the conjugate update.

    Args:
        curves: at least one reward of each arm.
        prior: by default pooled from ``curves``.
    """
    prior = prior or pooled_prior(curves)
    length = curves.rewards.shape[1]
    known = tables(length)
    seen = curves.seen
    rewards = np.where(seen, (curves.rewards - prior.level) / prior.scale, 0.0)
    best = np.where(seen, rewards, -np.inf).max(axis=1)
    # A first epoch far off says nothing of the last; unclipped it would promise a steep rise.
    rewards = np.where(seen, np.maximum(rewards, best[:, None] - DEEPEST), 0.0)
    whitened = np.where(seen, rewards @ known.whitener[:length, :length].T, 0.0)
    centres, precisions = _coefficients(prior)
    systems = known.grams[curves.epochs]
    systems[..., (0, 3, 5)] += precisions
    covariances, determinants = invert(systems)
    products = (whitened @ known.designs[:length].reshape(length, -1)).reshape(-1, MODELS, 3)
    products += precisions * centres
    means = multiply(covariances, products)
    squares = np.sum(whitened**2, axis=1)[:, None] + np.sum(precisions * centres**2, axis=-1)
    misfit = np.maximum(squares - dot(means, products), 0.0)
    shapes = NOISE_SHAPE + curves.epochs[:, None] / 2
    rates = NOISE_SHAPE * prior.noise**2 + misfit / 2
    evidence = _model_prior() + (np.sum(np.log(precisions), axis=-1) - np.log(determinants)) / 2
    return Posterior(
        prior,
        curves.epochs,
        best,
        _normalised(evidence - shapes * np.log(rates)),
        means,
        covariances,
        np.sqrt(rates / shapes),
        whitened @ known.drift[:length],
    )


def _coefficients(prior: Prior) -> tuple[Array, Array]:
    """Prior means of (s, b, d) and, relative to σ, their precisions; each (MODELS, 3)."""
    gains = np.tile(prior.gains, 2)
    decline = np.repeat([0.0, DECLINE], RISES)
    means = np.stack([np.zeros(MODELS), gains, decline], axis=-1)
    # d = 0 as a prior too narrow to move keeps all models in one batch of 3x3 systems.
    narrow = np.repeat([1e-5, DECLINE], RISES)
    deviations = np.stack([np.full(MODELS, prior.spread), gains, narrow], axis=-1)
    return means, (prior.noise / deviations) ** 2


@lru_cache(maxsize=1)
def _model_prior() -> Array:
    """Log probability of each model before any reward, shape (MODELS,)."""
    power = (1 - EXPONENTIAL) / len(POWERS)
    exponential = EXPONENTIAL / len(TIMES)
    rises = np.array([power] * len(POWERS) + [exponential] * len(TIMES))
    return np.asarray(np.log(np.concatenate([(1 - TURNING) * rises, TURNING * rises])))


def _normalised(log_weights: Array) -> Array:
    weights: Array = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    total: Array = weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights / total)
