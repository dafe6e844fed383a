"""What went wrong in a search so far: how often, and the latest of it in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from vaesearch.events import ArmFailed, ArmShrunk, Event, PullFailed, WorkerLost
from vaesearch.report.units import one_line
from vaesearch.search.state import SearchState

LATEST = 5


@dataclass(frozen=True)
class Trouble:
    """One of them; ``time`` is Unix time."""

    time: float
    text: str


@dataclass(frozen=True)
class Troubles:
    """How often, by kind, and the latest, oldest first."""

    lost_workers: int = 0
    failed_pulls: int = 0
    failed_arms: int = 0
    halved_batches: int = 0
    latest: tuple[Trouble, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.latest)


def troubles_of(events: Sequence[Event], state: SearchState) -> Troubles:
    """Of the whole ledger."""
    found = [(event, text) for event in events if (text := _words(event))]
    counts = Counter(type(event) for event, _ in found)
    return Troubles(
        counts[WorkerLost],
        counts[PullFailed],
        counts[ArmFailed],
        counts[ArmShrunk],
        tuple(Trouble(event.time, text) for event, text in found[-LATEST:]),
    )


def _words(event: Event) -> str:
    match event:
        case WorkerLost():
            return f"lost {event.worker}: {one_line(event.error)}"
        case PullFailed():
            return f"a pull of {event.arm} failed: {one_line(event.error)}"
        case ArmFailed():
            return f"{event.arm} failed: {one_line(event.cause)}"
        case ArmShrunk():
            return f"{event.arm}: batches of {event.batch_size}: {one_line(event.cause)}"
        case _:
            return ""
