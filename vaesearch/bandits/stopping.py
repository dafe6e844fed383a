"""How sure it is which arm is best, for those who want to stop once it is sure enough."""

import numpy as np

from vaesearch.bandits.core import History
from vaesearch.bandits.normal import Array
from vaesearch.bandits.projection import Projection, project

POINTS = 400  # of the grid that the final values are integrated on


def probability_best(history: History) -> dict[str, float]:
    """For each arm the probability that its final value is the highest.

    The final value of an arm is its best checkpoint if it got all that is left of the budget. Arms
    are independent given their curves, so with F_i the distribution function of arm i this is
    ∫ Π_{j≠i} F_j dF_i, by the trapezoidal rule. Arms that are closed, or can have no further
    epoch, count with what they reached, and arms without a reward, of which nothing is known,
    make every probability 0.

    Returns:
        Probabilities by name, adding up to 1 (0 where some open arm has no reward yet); empty if
        no arm has a reward.
    """
    if not any(arm.rewards and arm.status != "failed" for arm in history.arms):
        return {}
    projection = project(history)
    if any(arm.status == "open" and not arm.rewards for arm in history.arms):
        return dict.fromkeys(projection.names, 0.0)
    able = {a.name for a in history.arms if a.status == "open" and history.reach(a) > a.epochs}
    going = np.array([name in able for name in projection.names])
    shares = _shares(projection, going)
    return dict(zip(projection.names, shares.tolist(), strict=True))


def _shares(projection: Projection, going: Array) -> Array:
    """The integrals, shape (K,)."""
    best = projection.posterior.best
    grid = _grid(projection)
    below = np.stack([projection.below(np.full(len(best), value)) for value in grid], axis=1)
    # The grid begins at the best so far, and an arm that goes no further ends there or lower.
    logs = np.log(np.maximum(np.where(going[:, None], below, 1.0), 1e-300))
    below, others = np.exp(logs), np.exp(logs.sum(axis=0) - logs)
    middle = (others[:, 1:] + others[:, :-1]) / 2
    shares = np.sum(middle * np.diff(below, axis=1), axis=1)
    # Where no arm improves on the best so far, whoever has that now is the best.
    ahead = best == best.max()
    shares += ahead / ahead.sum() * np.prod(below[:, 0])
    return np.asarray(shares / shares.sum())


def _grid(projection: Projection) -> Array:
    """Values from the lowest that can be the highest, to one that no arm passes."""
    low = float(projection.posterior.best.max())
    heavy = projection.posterior.weights > 1e-6
    tops = np.where(heavy, projection.means + 6 * projection.scales, -np.inf)
    high = max(float(tops.max()), low + 1e-9)
    # Closer together near the best so far, where most of the distributions lie.
    return low + (high - low) * np.linspace(0.0, 1.0, POINTS) ** 2
