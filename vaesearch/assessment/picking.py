"""Which checkpoints of a search are to be measured."""

from collections.abc import Callable, Sequence

from vaesearch.errors import CheckpointError, InputError
from vaesearch.report.units import one_line
from vaesearch.search.state import SearchState
from vaesearch.trained import Checkpoint, check_epoch, find_checkpoint

ALL = "all"

Note = Callable[[str], None]


def pick(
    state: SearchState, names: Sequence[str] | None, epoch: int | str, note: Note
) -> list[Checkpoint]:
    """The checkpoints, best arm first where all are asked for.

    Args:
        state: the search.
        names: of arms, or ``all``: those that failed or have no such checkpoint are left out,
            and trials that were never in the lead; None for the best one.
        epoch: ``best``, ``last``, or a number.
        note: told which arms are left out, and why.

    Raises:
        InputError: no such arm, or it has no such checkpoint; or none is left.
        CheckpointError: an arm that was named has no checkpoint at all.
    """
    check_epoch(epoch)
    if not names:
        return [find_checkpoint(state, None, epoch)]
    if ALL not in names:
        return [find_checkpoint(state, name, epoch) for name in dict.fromkeys(names)]
    found, reason = [], ""
    for name in _kept(state, note):
        try:
            found.append(_sound(state, name, epoch))
        except (InputError, CheckpointError) as error:
            reason = one_line(str(error))
            note(f"Left out: {reason}")
    if not found:
        raise InputError(f"no arm can be evaluated: {reason}")
    return found


def _kept(state: SearchState, note: Note) -> list[str]:
    """All arms, or of hundreds of trials those that the search handed out."""
    if state.space is None or state.finished is None:
        return state.ranking
    handed_out = [name for name in state.ranking if state.arms[name].test]
    if rest := len(state.arms) - len(handed_out):
        note(f"Left out: {rest} trials that are not among the best, nor on the front.")
    return handed_out


def _sound(state: SearchState, name: str, epoch: int | str) -> Checkpoint:
    if state.history.arm(name).status == "failed":
        raise CheckpointError(f"{name} failed: {state.arms[name].note}")
    return find_checkpoint(state, name, epoch)
