"""Which checkpoints a tuned search needs: those of hundreds of trials would fill the disk."""

from collections.abc import Callable

from vaesearch.events import (
    ArmCut,
    ArmFailed,
    Event,
    PullFinished,
    PullStarted,
    SearchFinished,
)
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import findings, worth_keeping

NEAR = 20  # best trials whose checkpoints stay: leaders may yet diverge

Remove = Callable[[str, set[int]], None]


class Keeper:
    """Deletes checkpoints of arms that are closed; an observer of a search.

    A closed arm is never trained again, so its last checkpoint goes. Its best one stays while it
    may be handed out: among the ``NEAR`` best, on the front, or the best of its group.

    Args:
        remove: deletes the checkpoints of an arm but for those of the epochs it is told.
    """

    def __init__(self, remove: Remove) -> None:
        self._remove = remove
        self._left: dict[str, set[int]] = {}
        self._closed = False

    def __call__(self, event: Event, state: SearchState) -> None:
        """Delete what was made needless, once the ledger has it on disk.

        The line of a cut gets there with that of the next pull, so until then nothing goes.
        """
        if isinstance(event, ArmCut):
            self._closed = True
            return
        if isinstance(event, PullFinished) and state.history.arm(event.arm).status != "open":
            self._closed = True
        durable = isinstance(event, (ArmFailed, PullStarted, PullFinished, SearchFinished))
        if not durable or not (self._closed or isinstance(event, ArmFailed)):
            return
        self._closed = False
        for name, keep in kept(state).items():
            if self._left.get(name) != keep:
                self._remove(name, keep)
                self._left[name] = keep


def kept(state: SearchState) -> dict[str, set[int]]:
    """Epochs of the checkpoints that stay, for each arm that is closed and not in flight."""
    near = worth_keeping(findings(state), NEAR)
    closed = [a for a in state.history.arms if a.status != "open" and not a.pending]
    return {
        a.name: {best.epoch} if (best := state.arms[a.name].best) and a.name in near else set()
        for a in closed
        if state.arms[a.name].trial is not None
    }
