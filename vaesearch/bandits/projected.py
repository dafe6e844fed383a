"""Bandits on what matters: where each learning curve will be when the budget ends.

Only the final model counts, an arm moves only when it is pulled, and an arm that is behind now
may end ahead. So these policies score an arm by the posterior of its best reward at
:meth:`~vaesearch.bandits.core.History.reach`, the epoch it would be at if it got all that is left
of the budget (:mod:`vaesearch.bandits.curves`). As the budget runs out, arms that are too far
behind lose their chance by themselves.

Pulls in flight are no candidates, so W workers get W arms; what they will use is already missing
from the budget that the others are projected with. With a budget in epochs a free worker may also
be left waiting: its time costs nothing there, an epoch on an arm without prospects does.
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


def _in_flight(history: History, projected: dict[str, Projection]) -> list[str]:
    """Arms worth waiting for: under way, with a projection, in a search that counts epochs."""
    if history.budget.seconds is not None:
        return []
    return [a.name for a in by_name(history.arms) if a.pending and a.name in projected]


def _wait(arm: str, projected: dict[str, Projection]) -> Decision:
    values = {name: projection.mean for name, projection in projected.items()}
    reason = f"waiting for {arm} in flight, projected {values[arm]:.4g}: no other is as promising"
    return Decision(None, reason, values=values)


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

    An arm is thus pulled as often as it is believed to end best. With several workers and a
    budget in epochs, arms in flight are drawn too; if the best draw is one of them, all are drawn
    again, and after ``draws`` times the worker waits.

    Assumes curves of the families of :mod:`vaesearch.bandits.curves`; a late jump is not among
    them and cannot be foreseen.

    Papers: Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika
    1933; Domhan et al., IJCAI 2015, for the projection.

    Args:
        minimum: epochs of each arm before anything is projected.
        chunk: epochs per pull.
        draws: chances of the candidates against the arms in flight.

    Raises:
        InputError: a constant is out of its range.
    """

    minimum: int = 3
    chunk: int = 1
    draws: int = 4

    def __post_init__(self) -> None:
        check_integer(1, minimum=self.minimum, chunk=self.chunk, draws=self.draws)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest draw."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projected = projections(history)
        candidates = [a.name for a in by_name(history.candidates)]
        flying = _in_flight(history, projected)
        for _ in range(self.draws):
            draws = {name: projected[name].sample(rng) for name in candidates}
            rivals = {name: projected[name].sample(rng) for name in flying}
            if max(draws.values()) >= max(rivals.values(), default=-np.inf):
                return _pull_best(history, projected, draws, "draw", self.chunk)
        return _wait(max(rivals, key=rivals.__getitem__), projected)


@dataclass(frozen=True)
class UCBPolicy:
    """Upper confidence bounds on projected final values; deterministic.

    After ``minimum`` epochs of each arm, pull

        arm = argmax_i Q_i(level),

    with Q_i the quantile function of the posterior that :class:`ThompsonPolicy` draws from. The
    level is constant: Kaufmann et al. let it grow as 1 - 1/t for rewards that go on for ever,
    whereas here the horizon is fixed and the posterior of its end is already wide. With several
    workers and a budget in epochs, a worker waits while even the best candidate's quantile is
    below what an arm in flight is expected to reach.

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
        for name in _in_flight(history, projected):
            if projected[name].mean > max(bounds.values()):
                return _wait(name, projected)
        return _pull_best(history, projected, bounds, f"{self.level:.0%} quantile", self.chunk)
