"""Workers that come and go, as lines of the ledger and as policies see them."""

from dataclasses import replace

from vaesearch.events import Event, WorkerJoined, WorkerLeft, WorkerLost
from vaesearch.search.backends.base import Joined, Left, Lost, Outcome
from vaesearch.search.state import SearchState


def staff_line(outcome: Outcome) -> Event | None:
    """What the ledger says of a worker that came or went; None if none did."""
    match outcome:
        case Joined(worker, node, device):
            return WorkerJoined(worker, node, device)
        case Lost(worker, _, error):
            return WorkerLost(worker, error)
        case Left(worker, reason):
            return WorkerLeft(worker, reason)
        case _:
            return None


def with_workers(state: SearchState, workers: int) -> SearchState:
    """The state where policies see that so many pulls can run side by side."""
    budget = replace(state.history.budget, workers=workers)
    return replace(state, history=replace(state.history, budget=budget))
