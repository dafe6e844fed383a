"""Where a learning curve will be when the budget ends: a Bayesian mixture in closed form.

Model j says that the reward of epoch n, in units of reward, is

    y(n) = s + b g_j(n) - d (n - 1) / (N - 1) + noise,        noise ~ N(0, σ²),

where N is the target epoch and g_j, which is 0 at epoch 1, rises either like a power law,
g(n) = 1 - n^-c, or exponentially, g(n) = 1 - exp(-(n - 1) / τ), for several c and τ. Half of the
models have no decline, d = 0; the others let a curve turn for good, as that of a VAE does which
overfits. Given a model, (s, b, d) and σ² have a conjugate normal-inverse-gamma prior, so
posterior, evidence and prediction are closed forms, and models are averaged by their evidence.

What is projected is the *best* reward up to the target, since the checkpoint handed out is the
best one: never below the best so far, and with what noise adds to the best of many epochs.

Papers: Domhan, Springenberg & Hutter, "Speeding up automatic hyperparameter optimization of deep
neural networks by extrapolation of learning curves", IJCAI 2015 (a mixture of curve families;
there by MCMC); Swersky, Snoek & Adams, "Freeze-thaw Bayesian optimization", 2014.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from vaesearch.bandits.student import Array, student_cdf, student_pdf

POWERS = (0.25, 0.5, 1.0, 2.0)
TIMES = tuple(2 ** (step / 2) for step in range(13))  # 1, 1.4, 2, ..., 64 epochs
RISES = len(POWERS) + len(TIMES)

TURNING = 0.3  # prior probability of the models with a decline
DECLINE = 0.1  # prior mean and standard deviation of d, relative to a typical gain
NOISE_SHAPE = 2  # of the inverse gamma prior of σ²: worth 4 epochs of another arm's noise
MOST_DOF = 30  # from here on as good as normal
LEAST_NOISE = 0.01  # relative to a typical gain: no family fits a real curve exactly


@dataclass(frozen=True)
class Prior:
    """What the curves of all arms say before one of them is looked at, in units of reward.

    Attributes:
        level: where curves start.
        spread: standard deviation of where they start.
        gains: for each rise g_j the typical b, taken as mean and as standard deviation.
        noise: typical σ.
    """

    level: float
    spread: float
    gains: tuple[float, ...]
    noise: float


@dataclass(frozen=True)
class Posterior:
    """The posterior of M models given one curve.

    Attributes:
        weights: probability of each model, shape (M,).
        means: of the coefficients (s, b, d), s relative to the prior's level, shape (M, 3).
        covariances: of the coefficients, in units of σ², shape (M, 3, 3).
        shape: of the inverse gamma posterior of σ².
        rates: the same distribution's second parameter, shape (M,).
    """

    weights: Array
    means: Array
    covariances: Array
    shape: float
    rates: Array


@dataclass(frozen=True)
class Projection:
    """The posterior of an arm's final value: max(floor, X), X a mixture of Student t.

    Attributes:
        weights, means, scales: of the components, each of shape (M,).
        dof: degrees of freedom, the same for all.
        floor: the best reward so far.
    """

    weights: Array
    means: Array
    scales: Array
    dof: int
    floor: float

    def sample(self, rng: np.random.Generator) -> float:
        """One draw."""
        part = int(np.searchsorted(np.cumsum(self.weights), rng.random()))
        part = min(part, len(self.weights) - 1)  # the weights may add up to 1 - 1e-16
        draw = self.means[part] + self.scales[part] * rng.standard_t(self.dof)
        return max(self.floor, float(draw))

    @property
    def spread(self) -> float:
        """The standard deviation, the floor left out of account."""
        variances = self.scales**2 * (self.dof / (self.dof - 2))
        around = self.means - self.weights @ self.means
        return float(np.sqrt(self.weights @ (variances + around**2)))

    @property
    def mean(self) -> float:
        """The expectation, from that of a t distribution cut off at the floor."""
        # A floor of -inf, before any reward, is as good as one far below all components.
        floor = max(self.floor, float(np.min(self.means - 1e6 * self.scales)))
        z = (floor - self.means) / self.scales
        below = student_cdf(z, self.dof)
        tail = (self.dof + z**2) / (self.dof - 1) * student_pdf(z, self.dof)
        above = self.means * (1 - below) + self.scales * tail
        return max(floor, float(self.weights @ (floor * below + above)))

    def quantile(self, level: float) -> float:
        """The value that the final one stays below with probability ``level``.

        Found by four rounds of a grid of 33, to 1e-4 of the components' scale; components of
        negligible weight are left out.
        """
        heavy = self.weights > 1e-5
        weights, means, scales = self.weights[heavy], self.means[heavy], self.scales[heavy]
        lower = float(np.min(means - 60 * scales))
        upper = float(np.max(means + 60 * scales))
        for _ in range(4):
            grid = np.linspace(lower, upper, 33)
            z = (grid[:, None] - means) / scales
            place = int(np.searchsorted(student_cdf(z, self.dof) @ weights, level))
            place = min(max(place, 1), 32)
            lower, upper = float(grid[place - 1]), float(grid[place])
        return max(self.floor, upper)


@lru_cache(maxsize=1024)
def rises(length: int) -> Array:
    """g_j(n) of all rises at epochs 1 to ``length``, shape (RISES, length)."""
    after = np.arange(float(length))
    powers = -np.expm1(-np.array(POWERS)[:, None] * np.log1p(after))
    exponentials = -np.expm1(-after / np.array(TIMES)[:, None])
    return np.concatenate([powers, exponentials])


@lru_cache(maxsize=1024)
def designs(target: int) -> Array:
    """Rows (1, g_j(n), -(n - 1) / (N - 1)) for epochs n = 1 to N; shape (2 RISES, N, 3)."""
    rise = np.concatenate([rises(target)] * 2)
    line = np.broadcast_to(-np.arange(target) / (target - 1), rise.shape)
    return np.stack([np.ones_like(rise), rise, line], axis=-1)


def typical_gains(curves: Sequence[Array]) -> Array:
    """For each rise the median over curves of the least-squares b, shape (RISES,)."""
    gains = []
    for curve in curves:
        rise = rises(len(curve))
        gains.append(np.maximum(rise @ (curve - curve[0]), 0) / np.sum(rise**2, axis=1))
    return np.asarray(np.median(gains, axis=0))


def typical_noise(curves: Sequence[Array]) -> float:
    """A robust σ: second differences hide the trend and have variance 6σ²; 0 if none are long."""
    bends = [np.median(np.abs(np.diff(curve, 2)[-15:])) for curve in curves if len(curve) > 2]
    return float(np.median(bends)) / (0.6745 * 6**0.5) if bends else 0.0


def pooled_prior(curves: Sequence[Sequence[float]]) -> Prior:
    """The prior that all arms share, scaled to their rewards.

    Arms trained on the same images improve by similar amounts and are equally noisy, which is
    what there is to go by after one, two or three epochs of an arm. Adding a constant to all
    rewards, or multiplying them by one, does the same to every projection.

    Args:
        curves: rewards of every arm that has any.
    """
    arrays = [np.asarray(curve, dtype=float) for curve in curves if len(curve)]
    starts = [float(curve[0]) for curve in arrays] or [0.0]
    grown = [curve for curve in arrays if len(curve) > 1]
    gain = float(np.median([np.ptp(c) for c in grown])) if grown else 0.0
    noise = typical_noise(grown)
    level = float(np.median(starts))
    # Where nothing varies, any scale will do that is neither 0 nor lost in rounding.
    scale = max(gain, noise, float(np.std(starts)), 1e-12 * abs(level), 1e-30)
    gains = np.maximum(typical_gains(grown), scale) if grown else np.full(RISES, scale)
    return Prior(level, 3 * scale, tuple(gains.tolist()), max(noise, LEAST_NOISE * scale))


def _coefficient_priors(prior: Prior) -> tuple[Array, Array]:
    """Means and standard deviations of (s, b, d) in every model, each of shape (2 RISES, 3)."""
    gains = np.array(prior.gains * 2)
    decline = np.repeat([0.0, DECLINE * min(prior.gains)], RISES)
    means = np.stack([np.zeros_like(gains), gains, decline], axis=-1)
    # d = 0 as a prior too narrow to move keeps all models in one batch of 3x3 systems.
    fixed = 1e-6 * min(prior.gains)
    deviations = np.stack([np.full_like(gains, prior.spread), gains, decline + fixed], axis=-1)
    return means, deviations


def fit(rewards: Sequence[float], target: int, prior: Prior) -> Posterior:
    """The posterior of all models given the rewards of one arm, by the conjugate update."""
    observed = np.asarray(rewards, dtype=float) - prior.level
    rows = designs(target)[:, : len(observed)]
    centres, deviations = _coefficient_priors(prior)
    precisions = (prior.noise / deviations) ** 2
    systems = rows.transpose(0, 2, 1) @ rows + precisions[:, :, None] * np.eye(3)
    covariances = np.linalg.inv(systems)
    right = observed @ rows + precisions * centres
    means = (covariances @ right[:, :, None])[:, :, 0]
    misfit = np.sum((observed - (rows @ means[:, :, None])[:, :, 0]) ** 2, axis=1)
    moved = np.sum(precisions * (means - centres) ** 2, axis=1)
    shape = NOISE_SHAPE + len(observed) / 2
    rates = NOISE_SHAPE * prior.noise**2 + (misfit + moved) / 2
    log_prior = np.repeat(np.log([1 - TURNING, TURNING]), RISES)
    log_volume = (np.sum(np.log(precisions), axis=1) - np.linalg.slogdet(systems)[1]) / 2
    weights = _normalised(log_prior + log_volume - shape * np.log(rates))
    return Posterior(weights, means, covariances, shape, rates)


def _normalised(log_weights: Array) -> Array:
    weights: Array = np.exp(log_weights - np.max(log_weights))
    return weights / np.sum(weights)


def best_of(count: int) -> tuple[float, float]:
    """Centre and spread of the largest of ``count`` standard normal draws.

    Its p-quantile is Φ⁻¹(p^(1/count)); taken as normal: the median and half the central 68%.
    """
    normal = NormalDist()
    low, middle, high = (normal.inv_cdf(p ** (1 / count)) for p in (0.1587, 0.5, 0.8413))
    return middle, (high - low) / 2


def project(rewards: Sequence[float], target: int, prior: Prior | None = None) -> Projection:
    """The posterior of an arm's best reward up to epoch ``target``.

    Each model is evaluated at the epoch still to come where it expects the highest reward, so
    that a peak before the target counts in full.

    Args:
        rewards: of the arm so far, possibly none.
        target: an epoch; at least the next one is looked at.
        prior: shared among arms; by default from this arm alone.
    """
    done = len(rewards)
    target = max(target, done + 1, 2)
    prior = prior or pooled_prior([rewards])
    posterior = fit(rewards, target, prior)
    ahead = designs(target)[:, done:]
    paths = (ahead @ posterior.means[:, :, None])[:, :, 0]
    models = np.arange(len(paths))
    peak = np.argmax(paths, axis=1)
    row = ahead[models, peak]
    noise = np.sqrt(posterior.rates / posterior.shape)
    luck, luck_spread = best_of(target - done)
    means = prior.level + paths[models, peak] + noise * luck
    variances = np.einsum("mi,mij,mj->m", row, posterior.covariances, row) + luck_spread**2
    scales = noise * np.sqrt(variances)
    floor = max(rewards, default=-np.inf)
    dof = min(round(2 * posterior.shape), MOST_DOF)
    return Projection(posterior.weights, means, scales, dof, floor)
