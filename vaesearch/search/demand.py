"""How many workers could be of use from now on: pure."""

import math

from vaesearch.bandits.core import History
from vaesearch.search.state import SearchState


def demand(state: SearchState, *, chunk: int = 1, open_ended: bool = False) -> int:
    """Pulls that could run side by side.

    An arm has at most one pull in flight, so there are never more than arms that may still be
    trained or may still join; and each new pull needs epochs that are left to give out.

    Args:
        state: of the search.
        chunk: least epochs of a pull.
        open_ended: arms may join from a source that does not say how many.
    """
    history, flying = state.history, len(state.flights)
    arms = _trainable(history) + _may_join(state)
    if open_ended and history.budget.trials is None:
        arms += 1
    pulls = history.epochs_left / chunk
    return flying + (arms if math.isinf(pulls) else min(arms, math.ceil(pulls)))


def _trainable(history: History) -> int:
    """Arms that are open, not in flight and below their cap."""
    if history.budget.seconds is None:
        return len(history.candidates)  # which the next decision needs, too
    return sum(
        arm.status == "open" and not arm.pending and arm.epochs < history.cap(arm)
        for arm in history.arms
    )


def _may_join(state: SearchState) -> int:
    """Trials that were not proposed yet; a lost one that is repeated counts once."""
    if state.history.budget.trials is None:
        return 0
    proposed = sum(a.trial is not None and a.again is None for a in state.arms.values())
    return max(0, state.history.budget.trials - proposed)
