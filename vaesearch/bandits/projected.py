"""Bandits on what matters: where each learning curve will be when the budget ends.

Only the final model counts, an arm moves only when it is pulled, and an arm that is behind now may
end ahead. So these policies score an arm by the posterior of its final value
(:mod:`vaesearch.bandits.projection`). As the budget runs out, arms that are too far behind lose
their chance by themselves, and an arm past its peak has nothing more to give.

Pulls in flight are no candidates, so W workers get W arms; what they will use is already missing
from the budget that the others are projected with. With a budget in epochs a free worker may also
be left waiting: its time costs nothing there, an epoch on an arm without prospects does.
"""

from dataclasses import dataclass, replace

import numpy as np

from vaesearch.bandits.common import (
    best_arm,
    check_at_least,
    check_fraction,
    check_integer,
    first_pulls,
)
from vaesearch.bandits.core import Decision, History
from vaesearch.bandits.normal import Array
from vaesearch.bandits.projection import Projection, project


def _in_flight(history: History) -> set[str]:
    """Arms worth waiting for: under way, in a search that counts epochs."""
    if history.budget.seconds is not None:
        return set()
    return {arm.name for arm in history.arms if arm.pending}


def _wait(arm: str, projection: Projection) -> Decision:
    values = projection.in_rewards(projection.expected())
    reason = f"waiting for {arm} in flight, projected {values[arm]:.4g}: no other is as promising"
    return Decision(None, reason, values=values)


def _pull(history: History, projection: Projection, scores: Array, kind: str) -> Decision:
    """The pull of the candidate with the highest score, with its projection as the reason."""
    by_arm = projection.by_arm(scores)
    arm = best_arm(history.candidates, by_arm)
    values = projection.in_rewards(projection.expected())
    place = projection.names.index(arm.name)
    spread = projection.posterior.prior.scale * projection.spread()[place]
    score = projection.in_rewards(scores)[arm.name]
    reason = (
        f"projected {values[arm.name]:.4g}±{spread:.2g} at epoch {history.reach(arm)} "
        f"(now {arm.value:.4g}), best {kind} of {len(history.candidates)}: {score:.4g}"
    )
    return Decision(arm.name, reason, values=values)


def _best_of(names: set[str], projection: Projection, scores: Array) -> float:
    """The highest score among ``names``; -inf if none of them is projected."""
    chosen = [score for name, score in projection.by_arm(scores).items() if name in names]
    return max(chosen, default=-np.inf)


@dataclass(frozen=True)
class ThompsonPolicy:
    """Thompson sampling on projected final values.

    After ``minimum`` epochs of each arm, draw v_i from the posterior of every candidate's final
    value and pull

        arm = argmax_i v_i,    v_i ~ p(best reward of i at its reach | all rewards).

    An arm is thus pulled as often as it is believed to end best. With several workers and a
    budget in epochs, arms in flight are drawn too; if the best draw is one of them, all are drawn
    again, and after ``draws`` times the worker waits.

    Assumes curves of the families of :mod:`vaesearch.bandits.curves`; a late jump is not among
    them and cannot be foreseen.

    Papers: Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika
    1933; Domhan et al., IJCAI 2015, for the projection.

    Args:
        minimum: epochs of each arm before anything is projected.
        draws: chances of the candidates against the arms in flight.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    minimum: int = 2
    draws: int = 4
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, minimum=self.minimum, chunk=self.chunk, draws=self.draws)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest draw."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projection = project(history)
        candidates = {arm.name for arm in history.candidates}
        flying = _in_flight(history)
        for _ in range(self.draws):
            draws = projection.draw(rng)
            if _best_of(candidates, projection, draws) >= _best_of(flying, projection, draws):
                decision = _pull(history, projection, draws, "draw")
                return replace(decision, epochs=self.chunk)
        return _wait(_highest(flying, projection, draws), projection)


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

    level: float = 0.9
    minimum: int = 2
    chunk: int = 1

    def __post_init__(self) -> None:
        check_fraction(level=self.level)
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the highest quantile."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projection = project(history)
        bounds = projection.quantile(self.level)
        flying = _in_flight(history)
        expected = projection.expected()
        best = _best_of({arm.name for arm in history.candidates}, projection, bounds)
        if _best_of(flying, projection, expected) > best:
            return _wait(_highest(flying, projection, expected), projection)
        decision = _pull(history, projection, bounds, f"{self.level:.0%} quantile")
        return replace(decision, epochs=self.chunk)


@dataclass(frozen=True)
class ExpectedImprovementPolicy:
    """The arm projected highest, unless another promises far more beyond the best so far.

    With m_i the expected final value of arm i, V the best reward of any arm so far and
    e_i = E[max(X_i - V, 0)] the expected improvement on it if i got the rest of the budget,

        L = argmax_i m_i,    C = argmax_i e_i,    pull C if e_C > persistence * e_L, else L.

    While the projected leader still rises, it has most to gain itself and is trained on, which is
    what gets a good model early. Once it flattens, its own e_L falls, and the arms that may yet
    pass V get their turn, however low their mean. With persistence 1 the rule is expected
    improvement alone; with infinity it is greedy.

    With several workers and a budget in epochs, a worker waits while the best candidate's e_i is
    below a fraction ``waiting`` of that of an arm in flight.

    Assumptions as for :class:`ThompsonPolicy`.

    Papers: Mockus, Tiesis & Zilinskas, "The application of Bayesian methods for seeking the
    extremum", 1978, for expected improvement; Domhan et al., IJCAI 2015, for the projection.

    Args:
        persistence: how many times the leader's expected improvement another's must be; at
            least 1.
        waiting: between 0 (never wait) and 1.
        minimum: epochs of each arm before anything is projected.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    persistence: float = 10.0
    waiting: float = 0.3
    minimum: int = 2
    chunk: int = 1

    def __post_init__(self) -> None:
        check_at_least(1, persistence=self.persistence)
        check_fraction(waiting=self.waiting)
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the leader or its challenger."""
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        projection = project(history)
        expected = projection.expected()
        gains = projection.excess(float(projection.posterior.best.max()))
        candidates = {arm.name for arm in history.candidates}
        flying = _in_flight(history)
        if self.waiting * _best_of(flying, projection, gains) > _best_of(
            candidates, projection, gains
        ):
            return _wait(_highest(flying, projection, gains), projection)
        free = np.array([name in candidates for name in projection.names])
        decision = _pull(history, projection, np.where(free, expected, -np.inf), "expectation")
        leader = projection.names.index(str(decision.arm))
        # Divided, since a gain may be 0 and persistence infinite.
        if np.max(gains[free]) / self.persistence > gains[leader]:
            decision = self._challenger(history, projection, gains, decision)
        return replace(decision, epochs=self.chunk)

    def _challenger(
        self, history: History, projection: Projection, gains: Array, leader: Decision
    ) -> Decision:
        by_arm = projection.by_arm(gains)
        arm = best_arm(history.candidates, by_arm)
        scale = projection.posterior.prior.scale
        reason = (
            f"may improve on the best so far by {scale * by_arm[arm.name]:.2g} on average up to "
            f"epoch {history.reach(arm)}, {leader.arm} by {scale * by_arm[str(leader.arm)]:.2g}"
        )
        return Decision(arm.name, reason, values=leader.values)


def _highest(names: set[str], projection: Projection, scores: Array) -> str:
    by_arm = projection.by_arm(scores)
    return max(sorted(names & set(projection.names)), key=by_arm.__getitem__)
