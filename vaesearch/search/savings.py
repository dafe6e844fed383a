"""Epochs that a search saved against training all arms equally, as far as that can be known.

An epoch of an arm is a pure function of its seed, so the best arm would have had the very same
curve under any policy: training all K arms until it gets to its best checkpoint costs K times that
epoch. Only an arm that was left behind could have got there earlier. How likely that is follows
from the posterior of its curve, so the estimate comes with a range.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.curves import Curves, pooled_prior
from vaesearch.bandits.futures import draw_futures
from vaesearch.events import Event
from vaesearch.search.regret import oracle_epochs
from vaesearch.search.replays import trace_of
from vaesearch.search.state import SearchState

DRAWS = 400
SEED = 0  # the same search gives the same estimate


@dataclass(frozen=True)
class Savings:
    """An estimate; epochs are summed over all arms.

    Attributes:
        spent: what the search had spent when it found its best checkpoint.
        uniform: median of what training all arms equally would have spent to find one as good.
        low, high: between which that lies with probability 90 %.
        arms: how many there were.
    """

    spent: int
    uniform: int
    low: int
    high: int
    arms: int

    @property
    def saved(self) -> int:
        """Epochs saved; negative where training all equally would have been faster."""
        return self.uniform - self.spent

    def sentence(self) -> str:
        """The estimate in words."""
        between = f" (90 %: {self.low} to {self.high})" if self.low < self.high else ""
        verdict = (
            f"{self.saved} epochs saved, {self.saved / self.uniform:.0%}"
            if self.saved > 0
            else f"{-self.saved} epochs more than that"
        )
        return (
            f"Best checkpoint after {self.spent} epochs; training all {self.arms} arms equally "
            f"would have taken about {self.uniform}{between} to find one as good: {verdict}."
        )


def estimate_savings(events: Iterable[Event], state: SearchState) -> Savings | None:
    """What the search saved; None where it found nothing, or had one arm only.

    Args:
        events: the ledger of the search.
        state: the fold over it.
    """
    found = trace_of(events).found()
    curves = {name: [r.reward for r in arm.reports] for name, arm in state.arms.items()}
    if found is None or len(curves) < 2:
        return None
    failed = {name for name in curves if state.history.arm(name).status == "failed"}
    costs = np.sort(_uniform_costs(curves, failed, found.reward))
    low, middle, high = (int(costs[int(q * (len(costs) - 1))]) for q in (0.05, 0.5, 0.95))
    return Savings(found.spent, middle, low, high, len(curves))


def _uniform_costs(
    curves: Mapping[str, Sequence[float]], failed: set[str], value: float
) -> np.ndarray:
    """Epochs that training all equally would cost, one figure per draw of the unseen futures."""
    going = {name: curve for name, curve in curves.items() if name not in failed}
    known = oracle_epochs(going, value)
    if known is None:
        raise ValueError("no arm that did not fail reaches the value")
    rounds = np.full(DRAWS, known)
    prior = pooled_prior(Curves.of([curve for curve in curves.values() if curve]))
    rng = np.random.default_rng(SEED)
    for name in sorted(going):
        done = len(going[name])
        if 0 < done < known:
            futures = draw_futures(going[name], known - done, prior, DRAWS, rng) >= value
            first = np.where(futures.any(axis=1), done + 1 + futures.argmax(axis=1), known)
            rounds = np.minimum(rounds, first)
    costs = len(going) * rounds
    for name in failed:
        costs = costs + np.minimum(rounds, len(curves[name]))
    return np.asarray(costs)
