"""Workers that come and go, as lines of the ledger."""

from vaesearch.events import Event, WorkerJoined, WorkerLeft, WorkerLost
from vaesearch.search.backends.base import Joined, Left, Lost, Outcome


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
