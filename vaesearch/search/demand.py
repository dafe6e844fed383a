"""How many workers could be of use from now on: pure."""

import math
from typing import Protocol, runtime_checkable

from vaesearch.bandits.core import History
from vaesearch.search.arms import Closing
from vaesearch.search.state import SearchState


@runtime_checkable
class Bounded(Protocol):
    """A source of arms that keeps no more than so many open."""

    @property
    def live(self) -> int | None:
        """How many; None where nobody can tell."""
        ...


def demand(state: SearchState, *, chunk: int = 1, source: object = None) -> int:
    """Pulls that could run side by side.

    An arm has at most one pull in flight, so there are never more than arms that may still be
    trained or may still join; and each new pull needs epochs that are left to give out. Near the
    end those that are up stay, one for each arm that is still to be scored.

    Args:
        state: of the search, as of now.
        chunk: least epochs of a pull.
        source: of arms that join, if there is one.
    """
    history, flying, up = state.history, len(state.flights), len(state.workers)
    failed = {arm.name for arm in history.arms if arm.status == "failed"}
    to_score = sum(a.best is not None and n not in failed for n, a in state.arms.items())
    if history.seconds_left <= 0:
        return max(1, flying, min(to_score, up))
    arms = _trainable(history) + _may_join(state, source)
    pulls = min(arms, history.epochs_left / chunk)
    wanted = flying + math.ceil(pulls)
    last_round = not arms or history.epochs_left / chunk < up
    return max(wanted, min(to_score, up)) if last_round else wanted


def _trainable(history: History) -> int:
    """Arms that are open, not in flight and below their cap."""
    if history.budget.seconds is None:
        return len(history.candidates)  # which the next decision needs, too
    return sum(
        arm.status == "open" and not arm.pending and arm.epochs < history.cap(arm)
        for arm in history.arms
    )


def _may_join(state: SearchState, source: object) -> int:
    """Trials that were not proposed yet; a lost one that is repeated counts once."""
    history = state.history
    if history.budget.trials is None:
        left = 0 if source is None else 1  # it does not say how many
    else:
        proposed = sum(a.trial is not None and a.again is None for a in state.arms.values())
        left = max(0, history.budget.trials - proposed)
    if left and isinstance(source, Closing) and source.closed(state) is not None:
        return 0
    if isinstance(source, Bounded) and source.live is not None:
        going = sum(a.status == "open" and a.epochs < history.cap(a) for a in history.arms)
        left = min(left, max(0, source.live - going))
    return left
