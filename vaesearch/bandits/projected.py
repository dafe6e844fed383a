"""Bandits on what matters: where each learning curve will be when the budget ends.

Only the final model counts, an arm moves only when it is pulled, and an arm that is behind now
may end ahead. So these policies score an arm by the posterior of its best reward at
:meth:`~vaesearch.bandits.core.History.reach`, the epoch it would be at if it got all that is left
of the budget (:mod:`vaesearch.bandits.curves`). As the budget runs out, arms that are too far
behind lose their chance by themselves.

Pulls in flight are no candidates, so W workers get W arms; what they will use is already missing
from the budget that the others are projected with.
"""

from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import best_arm, by_name, check_fraction, check_integer, first_pulls
from vaesearch.bandits.core import Decision, History
from vaesearch.bandits.curves import Projection, pooled_prior, project


def projections(history: History) -> dict[str, Projection]:
    """The projected final value of every arm that has a reward and has not failed, by name."""
    arms = [a for a in by_name(history.arms) if a.rewards and a.status != "failed"]
    prior = pooled_prior([a.rewards for a in arms])
    return {a.name: project(a.rewards, history.reach(a), prior) for a in arms}


def _pull_best(
    history: History,
    projected: dict[str, Projection],
    scores: dict[str, float],
    kind: str,
    chunk: int,
) -> Decision:
    """The pull of the candidate with the highest score, with its projection as the reason."""
    arm = best_arm(history.candidates, scores)
    values = {name: projection.mean for name, projection in projected.items()}
    spread = projected[arm.name].spread
    reason = (
        f"projected {values[arm.name]:.4g}±{spread:.2g} at epoch {history.reach(arm)} "
        f"(now {arm.value:.4g}), best {kind} of {len(scores)}: {scores[arm.name]:.4g}"
    )
    return Decision(arm.name, reason, chunk, values=values)


@dataclass(frozen=True)
class ThompsonPolicy:
    """Thompson sampling on projected final values.

    After ``minimum`` epochs of each arm, draw v_i from the posterior of every candidate's final
    value and pull

        arm = argmax_i v_i,    v_i ~ p(best reward of i at its reach | rewards of i).

    An arm is thus pulled as often as it is believed to end best.

    Assumes curves of the families of :mod:`vaesearch.bandits.curves`; a late jump is not among
    them and cannot be foreseen.

    Papers: Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika
    1933; Domhan et al., IJCAI 2015, for the projection.

    Args:
        minimum: epochs of each arm before anything is projected.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    minimum: int = 3
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest draw."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projected = projections(history)
        draws = {a.name: projected[a.name].sample(rng) for a in by_name(history.candidates)}
        return _pull_best(history, projected, draws, "draw", self.chunk)


@dataclass(frozen=True)
class UCBPolicy:
    """Upper confidence bounds on projected final values; deterministic.

    After ``minimum`` epochs of each arm, pull

        arm = argmax_i Q_i(level),

    with Q_i the quantile function of the posterior that :class:`ThompsonPolicy` draws from. The
    level is constant: Kaufmann et al. let it grow as 1 - 1/t for rewards that go on for ever,
    whereas here the horizon is fixed and the posterior of its end is already wide.

    Assumptions as for :class:`ThompsonPolicy`.

    Papers: Kaufmann, Cappé & Garivier, "On Bayesian upper confidence bounds for bandit problems",
    AISTATS 2012; Domhan et al., IJCAI 2015, for the projection.

    Args:
        level: of the quantile, between 0 and 1; higher explores more.
        minimum: epochs of each arm before anything is projected.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    level: float = 0.85
    minimum: int = 3
    chunk: int = 1

    def __post_init__(self) -> None:
        check_fraction(level=self.level)
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest quantile."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projected = projections(history)
        bounds = {a.name: projected[a.name].quantile(self.level) for a in history.candidates}
        return _pull_best(history, projected, bounds, f"{self.level:.0%} quantile", self.chunk)
