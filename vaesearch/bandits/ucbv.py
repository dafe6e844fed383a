"""UCB-V: an upper confidence bound that knows how much an arm's rewards vary."""

import math
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import best_arm, check_at_least, check_integer, first_pulls
from vaesearch.bandits.core import Decision, History
from vaesearch.bandits.stochastic import mean_reward, reward_scale


@dataclass(frozen=True)
class UCBVPolicy:
    """UCB-V: the mean reward plus a bonus from the empirical variance.

    After one pull of each arm,

        arm = argmax_i mean_i + √(2 V_i E / n_i) + 3 c b E / n_i,    E = ζ ln t,

    t epochs in all (those in flight included), n_i of the arm, mean_i and V_i = mean square
    deviation of its last ``window`` rewards, and b, the range of rewards, from
    :func:`~.stochastic.reward_scale`. The paper has ``window=0``, the mean and variance of all.

    Assumes fixed distributions of rewards within a known range. On a curve the variance is
    mostly the climb itself, so that with ``window=0`` the bonus goes to whoever has risen most.

    Paper: Audibert, Munos & Szepesvári, "Exploration-exploitation tradeoff using variance
    estimates in multi-armed bandits", Theoretical Computer Science 2009.

    Args:
        window: epochs to average, 0 for all.
        zeta: ζ, multiplies ln t; the paper's bound needs more than 1.
        c: multiplies the term in b, which stands for what the variance has not shown yet; 1 in
            the paper.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    window: int = 3
    zeta: float = 1.2
    c: float = 1.0
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(0, window=self.window)
        check_integer(1, chunk=self.chunk)
        check_at_least(0, zeta=self.zeta, c=self.c)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest upper confidence bound."""
        first = first_pulls(history, 1, self.chunk)
        if first:
            return first
        arms = history.candidates
        explore = self.zeta * float(np.log(history.spent + history.pending))
        span = 3 * self.c * reward_scale(history.arms)
        values = {a.name: mean_reward(a, self.window) for a in arms}
        bounds = {}
        for a in arms:
            latest = a.rewards[-self.window :]
            squares = math.fsum((x - values[a.name]) ** 2 for x in latest)
            bonus = math.sqrt(2 * squares / len(latest) * explore / a.epochs)
            bonus += span * explore / a.epochs
            bounds[a.name] = values[a.name] + bonus
        arm = best_arm(arms, bounds)
        mean, bound = values[arm.name], bounds[arm.name]
        reason = f"mean {mean:.4g}, upper bound {bound:.4g} after {arm.epochs} epochs"
        return Decision(arm.name, reason, self.chunk, values=values)
