"""Where recorded curves come from: a file of them, or the ledger of a run, finished or not."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vaesearch.bandits.core import Budget
from vaesearch.config import EPOCHS_PER_ARM, read_config
from vaesearch.errors import RecordingError, RunDirError
from vaesearch.events import (
    ArmAdded,
    DecisionMade,
    Event,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchStarted,
)
from vaesearch.recordings import Recording, read_recording
from vaesearch.search.instances import instances_of
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.regret import Trace
from vaesearch.search.replays import recording_of, trace_of
from vaesearch.search.state import fold
from vaesearch.storage import is_url


@dataclass(frozen=True)
class Source:
    """Recorded curves, and what is known about the search that they are of.

    Attributes:
        budget: what is spent unless one says otherwise, and ``why``.
        run: the row of the search itself: its name and what it did; None for a curves file.
        complete_by: the command that would record all arms equally long.
        remarks: how a replay differs from the search for other reasons.
        chunk: least epochs per pull.
        overhead: seconds of a pull beyond its epochs, by arm.
    """

    recording: Recording
    budget: Budget
    why: str
    seed: int
    complete_by: str
    run: tuple[str, Trace] | None = None
    remarks: tuple[str, ...] = ()
    chunk: int = 1
    overhead: Mapping[str, float] = field(default_factory=dict)


def read_source(path: str | Path) -> Source:
    """The curves in a file or of a run directory.

    Raises:
        RecordingError: there is no such thing, or it is damaged.
        RunDirError: a directory that holds no search.
    """
    if is_url(path) or Path(path).is_dir():
        return _of_run(path)
    path = Path(path)
    if not path.exists():
        raise RecordingError(f"there is no {path}: give a run directory or a file of curves.")
    recording = read_recording(path)
    arms = max((len(recording.of_seed(seed)) for seed in recording.seeds), default=0)
    longest = max((len(curve.valid) for curve in recording.curves), default=0)
    # With several seeds those with most arms are replayed, and the poorest of them sets the limit.
    totals = [instance.epochs for instance in instances_of(recording)]
    epochs = min([EPOCHS_PER_ARM * arms, *totals])
    enough = epochs == EPOCHS_PER_ARM * arms
    why = f"{EPOCHS_PER_ARM} per arm, the default of `bandit`" if enough else "all recorded"
    return Source(
        recording, Budget(epochs=epochs), why, 0,
        f"vaesearch bandit --policy uniform --epochs {arms * longest}",
    )  # fmt: skip


def _of_run(path: str | Path) -> Source:
    """What a run directory says of its search, finished or not; nothing in it is touched."""
    run_dir = open_run(path)
    events = read_ledger(run_dir.ledger)
    if not events or not isinstance(events[0], SearchStarted):
        raise RunDirError(f"{path} holds no search yet: run `vaesearch bandit --run-dir {path}`.")
    state = fold(events, Budget())
    config = read_config(state.config, source=str(path))
    recording = recording_of(state)
    longest = max((len(curve.valid) for curve in recording.curves), default=0)
    budget, why = Budget(cap=config.max_epochs_per_arm, workers=_workers(events)), "as in the run"
    if state.finished:
        budget = replace(budget, epochs=config.epochs, seconds=config.seconds)
    else:
        budget = replace(budget, epochs=max(1, state.history.spent))
        why = "what the run has spent so far"
    whole = (
        f"vaesearch bandit --config {shlex.quote(str(run_dir.config))} --policy uniform "
        f"--epochs {longest * len(state.arms)} --run-dir NEW"
    )
    if config.seconds is not None:
        whole += f" --seconds {_seconds_for(recording, longest):.0f}"
    own = (f"{config.policy} (the run)", trace_of(events))
    remarks = tuple(_about_run(events, set(recording.of_seed(config.seed))))
    typical = state.history.typical_switch_cost or 0.0
    overhead = {
        arm.name: typical if arm.switch_cost is None else arm.switch_cost
        for arm in state.history.arms
    }
    return Source(recording, budget, why, config.seed, whole, own, remarks, config.chunk, overhead)


def _about_run(events: Sequence[Event], recorded: set[str]) -> Iterator[str]:
    """Where the run had to do with less, or with more, than its replays."""
    decided = next((i for i, e in enumerate(events) if isinstance(e, DecisionMade)), len(events))
    late = [e.arm for e in events[decided:] if isinstance(e, ArmAdded)]
    if late:
        yield f"Joined during the run, but there from the start in replays: {', '.join(late)}."
    untrained = [e.arm for e in events if isinstance(e, ArmAdded) and e.arm not in recorded]
    if untrained:
        yield f"Never trained in the run, so not in replays either: {', '.join(untrained)}."


def _seconds_for(recording: Recording, epochs: int) -> float:
    """Twice what all arms took per epoch on average, so that time is not what ends the search."""
    return sum(2 * epochs * sum(c.seconds) / max(1, len(c.seconds)) for c in recording.curves)


def _workers(events: Sequence[Event]) -> int:
    """The most pulls that ran side by side."""
    running: set[int] = set()
    most = 1
    for event in events:
        if isinstance(event, PullStarted):
            running.add(event.pull)
        if isinstance(event, (PullFinished, PullFailed)):
            running.discard(event.pull)
        most = max(most, len(running))
    return most
