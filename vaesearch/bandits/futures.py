"""Possible futures of a curve, drawn from its posterior; for estimates that need whole paths."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaesearch.bandits.basis import ROUGHNESS, design, tables
from vaesearch.bandits.curves import Curves, Prior, fit
from vaesearch.bandits.normal import Array
from vaesearch.bandits.symmetric import unpack


def draw_futures(
    rewards: Sequence[float], epochs: int, prior: Prior, count: int, rng: np.random.Generator
) -> Array:
    """Rewards of epochs n + 1 to n + ``epochs`` of an arm with n rewards, without noise.

    Args:
        rewards: of the arm so far, at least one.
        epochs: how far to go on.
        prior: pooled over all arms.
        count: how many futures.
        rng: source of randomness.

    Returns:
        In units of reward, shape (count, epochs).
    """
    posterior = fit(Curves.of([rewards]), prior)
    models = rng.choice(posterior.weights.shape[1], size=count, p=posterior.weights[0])
    sigmas = posterior.sigmas[0, models]
    factors = np.linalg.cholesky(unpack(posterior.covariances[0]))[models]
    noise = np.einsum("cij,cj->ci", factors, rng.standard_normal((count, 3)))
    coefficients = posterior.means[0, models] + sigmas[:, None] * noise
    rows = design(np.arange(len(rewards) + 1.0, len(rewards) + epochs + 1.0))[:, models]
    wander = _wander(posterior.offsets[0], coefficients, models, sigmas, len(rewards), epochs, rng)
    return posterior.rewards(np.einsum("eci,ci->ce", rows, coefficients) + wander)


def _wander(
    offset: float,
    coefficients: Array,
    models: NDArray[np.intp],
    sigmas: Array,
    done: int,
    epochs: int,
    rng: np.random.Generator,
) -> Array:
    """The Brownian part given the coefficients, shape (count, epochs)."""
    known = tables(done)
    centre = offset - np.sum(known.drift_designs[done][models] * coefficients, axis=1)
    logs = np.log(np.arange(float(done), done + epochs + 1))
    now = ROUGHNESS**2 * logs[0] - known.drift_squares[done]
    variances = np.concatenate([[max(now, 0.0)], ROUGHNESS**2 * np.diff(logs)])
    steps = rng.standard_normal((len(models), epochs + 1)) * np.sqrt(variances)
    return np.asarray(centre[:, None] + sigmas[:, None] * np.cumsum(steps, axis=1)[:, 1:])
