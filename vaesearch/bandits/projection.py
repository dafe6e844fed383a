"""What each arm would be worth if it got all that is left of the budget.

The value of an arm is its best checkpoint. Its final value is thus the larger of its best reward
so far and the best it will still see up to :meth:`~vaesearch.bandits.core.History.reach`; the
latter is a mixture over the models of :mod:`vaesearch.bandits.curves`, each taken at the epoch
where it expects most, so that a peak before the end counts in full.
"""

from dataclasses import dataclass, replace

import numpy as np

from vaesearch.bandits.common import by_name
from vaesearch.bandits.core import History
from vaesearch.bandits.curves import Curves, Posterior, fit
from vaesearch.bandits.normal import Array, expected_excess, normal_cdf, normal_pdf

STAGES = (0.25, 0.5, 0.75, 1.0)  # of the way to the reach, where a peak is looked for
STEPS = 60  # at most, to a quantile: Newton's, or halvings of a bracket where those lead astray
PRECISION = 1e-10  # of a quantile, in typical gains
SURE = 1e-12  # the scale of a value that is known, in typical gains


@dataclass(frozen=True)
class Projection:
    """Final values of K arms: max(best so far, X), X a mixture of M normals per arm.

    All values are in the units of ``posterior``; :meth:`in_rewards` translates.

    Attributes:
        names: of the arms, sorted.
        posterior: of their curves.
        means, scales: of the components of X, shape (K, M).
    """

    names: tuple[str, ...]
    posterior: Posterior
    means: Array
    scales: Array

    def excess(self, floor: Array | float) -> Array:
        """E[max(X - floor, 0)], shape (K,), for one floor or one per arm."""
        floors = np.asarray(floor, dtype=float).reshape(-1, 1)
        parts = self.posterior.weights * expected_excess(self.means, self.scales, floors)
        return np.asarray(parts.sum(axis=1))

    def expected(self) -> Array:
        """The expected final values, shape (K,)."""
        return np.asarray(self.posterior.best + self.excess(self.posterior.best))

    def below(self, values: Array) -> Array:
        """Probability that X is below ``values``, one per arm; shape (K,)."""
        z = (values[:, None] - self.means) / self.scales
        return np.asarray(np.sum(self.posterior.weights * normal_cdf(z), axis=1))

    def spread(self) -> Array:
        """Standard deviation of X, shape (K,)."""
        weights = self.posterior.weights
        middle = np.sum(weights * self.means, axis=1, keepdims=True)
        squares = self.scales**2 + (self.means - middle) ** 2
        return np.asarray(np.sqrt(np.sum(weights * squares, axis=1)))

    def quantile(self, level: float) -> Array:
        """Values that the final ones stay below with probability ``level``, shape (K,)."""
        weights = self.posterior.weights
        low = np.min(self.means - 40 * self.scales, axis=1)
        high = np.max(self.means + 40 * self.scales, axis=1)
        values = np.sum(weights * self.means, axis=1)
        for _ in range(STEPS):
            z = (values[:, None] - self.means) / self.scales
            over = np.sum(weights * normal_cdf(z), axis=1) - level
            low, high = np.where(over < 0, values, low), np.where(over < 0, high, values)
            density = np.sum(weights * normal_pdf(z) / self.scales, axis=1)
            newton = values - over / np.maximum(density, 1e-300)
            inside = (low <= newton) & (newton <= high)
            before, values = values, np.where(inside, newton, (low + high) / 2)
            if np.max(np.abs(values - before)) < PRECISION:
                break
        return np.asarray(np.maximum(self.posterior.best, values))

    def draw(self, rng: np.random.Generator) -> Array:
        """One draw of every final value, shape (K,)."""
        arms = np.arange(len(self.names))
        cumulative = np.cumsum(self.posterior.weights, axis=1)
        # The weights may add up to 1 - 1e-16.
        parts = np.minimum(
            np.sum(cumulative < rng.random(len(arms))[:, None], axis=1), cumulative.shape[1] - 1
        )
        noise = rng.standard_normal(len(arms))
        values = self.means[arms, parts] + self.scales[arms, parts] * noise
        return np.asarray(np.maximum(self.posterior.best, values))

    def by_arm(self, values: Array) -> dict[str, float]:
        """``values`` of shape (K,) by name of arm."""
        return dict(zip(self.names, values.tolist(), strict=True))

    def in_rewards(self, values: Array) -> dict[str, float]:
        """Per arm, ``values`` of shape (K,) in units of reward."""
        return self.by_arm(self.posterior.rewards(values))


def project(history: History) -> Projection:
    """The projection of every arm that has a reward and has not failed.

    Raises:
        ValueError: there is no such arm.
    """
    arms = [a for a in by_name(history.arms) if a.rewards and a.status != "failed"]
    if not arms:
        raise ValueError("no arm has a reward to project from")
    posterior = fit(Curves.of([a.rewards for a in arms]))
    reach = np.array([history.reach(a) for a in arms])
    first = np.full((len(arms), 1), -np.inf)
    nothing = Projection(tuple(a.name for a in arms), posterior, first, first)
    return _at_the_best_stage(nothing, reach)


def _at_the_best_stage(start: Projection, reach: Array) -> Projection:
    """Each model where it expects the highest reward between the next epoch and ``reach``.

    An arm that gets no further epoch ends at its best so far.
    """
    done = start.posterior.epochs
    means, scales = start.means, start.scales
    for stage in STAGES:
        epochs = np.maximum(done + 1, np.rint(done + stage * (reach - done)))
        at_means, at_scales = start.posterior.at(epochs)
        means, scales = (
            np.where(at_means > means, at_means, means),
            np.where(at_means > means, at_scales, scales),
        )
    over = (reach <= done)[:, None]
    means = np.where(over, start.posterior.best[:, None], means)
    return replace(start, means=means, scales=np.where(over, SURE, scales))
