"""What switching between arms cost, in a line, and what to do about it."""

import math

from vaesearch.bandits.chunks import SHARE
from vaesearch.search.state import SearchState


def switching_note(state: SearchState) -> str | None:
    """The share of the workers' time that pulls took beyond their epochs; None if not measured.

    Above :data:`~vaesearch.bandits.chunks.SHARE` of a search that counts epochs, it names the
    ``--chunk`` that would have brought it there. With a budget in seconds pulls are sized by
    themselves.
    """
    total = state.training + state.switching
    if not state.training or not state.pulls:
        return None
    note = f"Switching between arms took {state.switching / total:.0%} of the workers' time."
    if state.switching <= SHARE * state.training or state.history.budget.seconds is not None:
        return note
    per_pull = max(1.0, state.history.spent / state.pulls)
    chunk = math.ceil(per_pull * state.switching / (SHARE * state.training))
    return f"{note} With --chunk {chunk}, epochs per pull, it would be about {SHARE:.0%}."
