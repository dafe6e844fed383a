"""Top-two Thompson sampling: made to find the best arm, not to collect rewards on the way."""

from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import (
    best_arm,
    by_name,
    check_fraction,
    check_integer,
    first_pulls,
)
from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.bandits.stochastic import mean_reward, reward_scale


@dataclass(frozen=True)
class TopTwoThompsonPolicy:
    """Top-two Thompson sampling on mean rewards with Gaussian posteriors.

    After one pull of each arm, draw θ_i ~ N(mean_i, s²/n_i) for every candidate, as in
    :class:`~.stochastic.GaussianThompsonPolicy`, and let I be the best draw. With probability β
    pull I; otherwise draw all again until another arm J is best, and pull J. After ``draws``
    times without one, J is the arm that is hardest to tell from I,

        J = argmin_{j ≠ I} (mean_I - mean_j) / √(1/n_I + 1/n_j).

    So arms close to the best get pulls that plain Thompson sampling would give to the best.

    Assumes fixed distributions of rewards with one known variance.

    Papers: Russo, "Simple Bayesian algorithms for best-arm identification", Operations Research
    2020; for J: Jourdan et al., "Top two algorithms revisited", NeurIPS 2022.

    Args:
        beta: probability of pulling the best draw.
        window: epochs to average, 0 for all.
        draws: times to look for another best draw.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    beta: float = 0.5
    window: int = 3
    draws: int = 100
    chunk: int = 1

    def __post_init__(self) -> None:
        check_fraction(beta=self.beta)
        check_integer(0, window=self.window, draws=self.draws)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the best draw, or the challenger."""
        first = first_pulls(history, 1, self.chunk)
        if first:
            return first
        arms = by_name(history.candidates)
        values = {a.name: mean_reward(a, self.window) for a in arms}
        scale = reward_scale(history.arms)
        best = self._best_draw(arms, values, scale, rng)
        if len(arms) == 1 or rng.random() < self.beta:
            reason = f"mean {values[best.name]:.4g}, best draw of {len(arms)}"
            return Decision(best.name, reason, self.chunk, values=values)
        other = self._challenger(best, arms, values, scale, rng)
        reason = f"mean {values[other.name]:.4g}, to tell it from {best.name}, the best draw"
        return Decision(other.name, reason, self.chunk, values=values)

    def _best_draw(
        self,
        arms: list[ArmHistory],
        values: dict[str, float],
        scale: float,
        rng: np.random.Generator,
    ) -> ArmHistory:
        draws = {
            a.name: float(rng.normal(values[a.name], scale / np.sqrt(a.epochs))) for a in arms
        }
        return best_arm(arms, draws)

    def _challenger(
        self,
        best: ArmHistory,
        arms: list[ArmHistory],
        values: dict[str, float],
        scale: float,
        rng: np.random.Generator,
    ) -> ArmHistory:
        for _ in range(self.draws):
            other = self._best_draw(arms, values, scale, rng)
            if other is not best:
                return other
        others = [a for a in arms if a is not best]
        closeness = {
            a.name: (values[a.name] - values[best.name])
            / float(np.sqrt(1 / best.epochs + 1 / a.epochs))
            for a in others
        }
        return best_arm(others, closeness)
