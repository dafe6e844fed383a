"""The model of learning curves written out as one joint distribution per model: an oracle.

Nothing is whitened or summed up here; the only thing taken from the package are its constants.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaesearch.bandits import curves
from vaesearch.bandits.basis import POWERS, RISES, ROUGHNESS, TIMES


def rise(model, epochs):
    after = np.asarray(epochs, dtype=float) - 1
    kind = model % RISES
    if kind < len(POWERS):
        return 1 - (1 + after) ** -POWERS[kind]
    return 1 - np.exp(-after / TIMES[kind - len(POWERS)])


def prior_weight(model):
    exponential = model % RISES >= len(POWERS)
    share = curves.EXPONENTIAL / len(TIMES) if exponential else (
        (1 - curves.EXPONENTIAL) / len(POWERS)
    )  # fmt: skip
    return share * (curves.TURNING if model >= RISES else 1 - curves.TURNING)


@dataclass
class Dense:
    """What one model says of a curve: its evidence, and y without noise at later epochs."""

    evidence: float
    mean: np.ndarray
    covariance: np.ndarray
    sigma: float
    coefficients: np.ndarray


def dense(model, rewards, prior, later):
    """Condition the joint normal of rewards, curve and coefficients, with σ² integrated out."""
    count = len(rewards)
    epochs = np.concatenate([np.arange(1.0, count + 1), np.asarray(later, dtype=float)])
    rows = np.stack([np.ones_like(epochs), rise(model, epochs), 1 - epochs], axis=1)
    gain = prior.gains[model % RISES]
    turns = model >= RISES
    start = np.array([0.0, gain, curves.DECLINE if turns else 0.0])
    deviations = np.array([prior.spread, gain, curves.DECLINE if turns else 1e-5])
    between = np.diag((deviations / prior.noise) ** 2)
    logs = np.log(epochs)
    whole = rows @ between @ rows.T + ROUGHNESS**2 * np.minimum(logs[:, None], logs)
    seen = whole[:count, :count] + np.eye(count)
    across = np.concatenate([whole[count:, :count], between @ rows[:count].T])
    values = (np.asarray(rewards) - prior.level) / prior.scale
    off = values - rows[:count] @ start
    shape, rate = curves.NOISE_SHAPE, curves.NOISE_SHAPE * prior.noise**2
    evidence = stats.multivariate_t(rows[:count] @ start, rate / shape * seen, 2 * shape).pdf(
        values
    )
    sigma = np.sqrt((rate + off @ np.linalg.solve(seen, off) / 2) / (shape + count / 2))
    ahead = across @ np.linalg.solve(seen, off)
    future = across[: len(later)]
    covariance = whole[count:, count:] - future @ np.linalg.solve(seen, future.T)
    return Dense(
        prior_weight(model) * evidence,
        rows[count:] @ start + ahead[: len(later)],
        sigma**2 * covariance,
        sigma,
        start + ahead[len(later) :],
    )
