"""What the families of learning curves have in common: everything that depends on epochs alone.

See :mod:`vaesearch.bandits.curves` for the model and its symbols.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vaesearch.bandits.normal import Array
from vaesearch.bandits.symmetric import packed_products

POWERS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.4)
TIMES = (2.0, 4.0, 8.0, 16.0)  # epochs
RISES = len(POWERS) + len(TIMES)
MODELS = 2 * RISES  # the second half can turn
ROUGHNESS = 5.0  # ρ: standard deviation of B per unit of log n, in units of σ


@dataclass(frozen=True)
class Tables:
    """What depends only on the epochs 1 to N, and on no reward.

    Attributes:
        rises: g_j(n), shape (RISES, N).
        whitener: lower triangular W with W cov(B + ε) W' = 1 (σ = 1), shape (N, N). Its first n
            rows whiten the first n epochs.
        designs: whitened rows (1, g_j(n), 1 - n), shape (N, MODELS, 3).
        drift: whitened covariance of the observations with the latest B, shape (N,).
        grams: sums over the first n whitened rows of their products, packed, (N + 1, MODELS, 6).
        drift_designs: sums over the first n of drift times design, shape (N + 1, MODELS, 3).
        drift_squares: sums over the first n of drift², shape (N + 1,).
    """

    rises: Array
    whitener: Array
    designs: Array
    drift: Array
    grams: Array
    drift_designs: Array
    drift_squares: Array


def rise(epochs: Array) -> Array:
    """g_j at ``epochs`` (from 1, any shape), with the rises along a new last axis."""
    after = np.asarray(epochs, dtype=float)[..., None] - 1
    powers = -np.expm1(-np.array(POWERS) * np.log1p(after))
    exponentials = -np.expm1(-after / np.array(TIMES))
    return np.concatenate([powers, exponentials], axis=-1)


def design(epochs: Array) -> Array:
    """Rows (1, g_j(n), 1 - n) of all models; shape (..., MODELS, 3)."""
    rises = np.tile(rise(epochs), 2)
    line = np.broadcast_to(1 - np.asarray(epochs, dtype=float)[..., None], rises.shape)
    return np.stack([np.ones_like(rises), rises, line], axis=-1)


def tables(length: int) -> Tables:
    """Tables for curves of up to ``length`` epochs or a little more, so that few are made."""
    return _tables(-(-length // 64) * 64)


@lru_cache(maxsize=16)
def _tables(length: int) -> Tables:
    epochs = np.arange(1.0, length + 1)
    logs = np.log(epochs)
    covariance = np.eye(length) + ROUGHNESS**2 * np.minimum(logs[:, None], logs)
    whitener = np.tril(np.linalg.inv(np.linalg.cholesky(covariance)))
    rows = design(epochs)
    designs = (whitener @ rows.reshape(length, -1)).reshape(rows.shape)
    # B at the last of n epochs covaries with the reward of epoch m <= n as B at m does with
    # itself, whatever n is; hence one vector serves all n.
    drift = whitener @ (ROUGHNESS**2 * logs)
    return Tables(
        rise(epochs).T,
        whitener,
        designs,
        drift,
        running(packed_products(designs)),
        running(drift[:, None, None] * designs),
        running(drift**2),
    )


def running(values: Array) -> Array:
    """Sums of the first 0, 1, ... N rows."""
    return np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
