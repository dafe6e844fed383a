"""Where arms that join during a search come from."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol, runtime_checkable

from vaesearch.compatibility import check_comparable
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, TrialKnown, TrialRefused
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.state import SearchState

Joining = ArmAdded | TrialRefused | TrialKnown


class ArmSource(Protocol):
    """Hands out arms while a search is under way, for example as a sampler proposes them."""

    def next_arms(self, state: SearchState) -> Sequence[Joining]:
        """The arms that join now, and what else is worth a line of the ledger; empty for nothing.

        Called whenever a worker is free and budget is left, before the policy. After a crash it
        is called by another process with the state that was logged: an arm that is handed out
        again, under its name and with its settings, is taken for the one that is there. A search
        in which no arm can be pulled and nothing is in flight ends, so a source that wants to go
        on must then have an arm.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A source that can tell when it has nothing left."""

    def closed(self, state: SearchState) -> str | None:
        """Why no arm will join any more; None while one may."""
        ...


def opening_line(arm: Arm, parameters: int, flops: float | None) -> ArmAdded:
    """The line that opens an arm."""
    return ArmAdded(arm.name, asdict(arm.settings), parameters, flops=flops)


def newcomers(source: ArmSource, state: SearchState) -> list[Joining]:
    """What of ``source`` is not in the ledger yet.

    Raises:
        InputError: one has the name of another arm but not its settings, or cannot be ranked
            beside the others.
    """
    joining: dict[str, ArmAdded] = {}
    fresh: list[Joining] = []
    for event in source.next_arms(state):
        if not isinstance(event, ArmAdded):
            fresh.append(event)
            continue
        arm = Arm(event.arm, TrialSettings(**event.settings))
        there = state.arms.get(event.arm)
        # As it joined: its batches may have been halved since, which its source need not know.
        known = Arm(event.arm, there.added) if there else None
        if event.arm in joining:
            known = Arm(event.arm, TrialSettings(**joining[event.arm].settings))
        if known is None:
            _check(arm, state)
            joining[event.arm] = event
            fresh.append(event)
        elif known != arm:
            raise InputError(
                f"arm {event.arm!r} is in the search already with other settings; "
                "an arm that joins needs a name of its own."
            )
    return fresh


def _check(arm: Arm, state: SearchState) -> None:
    """That the arm can be ranked beside the first one, and so beside all of them."""
    first = next(iter(state.arms.values()), None)
    if first is not None and "reward" in state.config:
        check_comparable(arm.settings, first.arm.settings, state.config["reward"])
