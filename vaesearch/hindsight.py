"""What other policies would have done with the budget of a run, on the curves that it recorded.

For example ``in_hindsight(Path("runs/first"), ["ucb"])``; ``vaesearch replay`` prints the same.
"""

import json
import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import EPOCHS_PER_ARM, Config
from vaesearch.errors import InputError, RecordingError, RunDirError
from vaesearch.recordings import Recording, read_recording
from vaesearch.records import Event, PullFailed, PullFinished, PullStarted, SearchStarted
from vaesearch.report.comparison import Comparison, to_data
from vaesearch.report.comparison_figure import comparison_figure
from vaesearch.report.figures import write_file
from vaesearch.search.comparison import (
    ORACLE,
    UNIFORM,
    Instance,
    Outcome,
    instances_of,
    oracle_outcomes,
    outcomes,
)
from vaesearch.search.ledger import read_ledger
from vaesearch.search.regret import Trace
from vaesearch.search.replays import recording_of, trace_of
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold

REPEATS = 5


def default_policies() -> list[str]:
    """What is compared unless one says otherwise: the default policy and three known ones."""
    return list(dict.fromkeys([Config().policy, "thompson", "ucb", "successive-halving"]))


@dataclass(frozen=True)
class Limits:
    """What replays may spend; None stands for what the run itself could.

    Raises:
        InputError: a limit is not above 0.
    """

    epochs: int | None = None
    seconds: float | None = None
    max_epochs_per_arm: int | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            _check_positive(name, value)


@dataclass(frozen=True)
class _Source:
    """Recorded curves, and what is known about the search that they are of.

    Attributes:
        budget: what is spent unless one says otherwise, and ``why``.
        run: the row of the search itself: its name and what it did; None for a curves file.
        complete_by: the command that would record all arms equally long.
    """

    recording: Recording
    budget: Budget
    why: str
    seed: int
    complete_by: str
    run: tuple[str, Trace] | None = None


def in_hindsight(
    path: Path,
    policies: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    seed: int | None = None,
    repeats: int = REPEATS,
    progress: Callable[[str], None] = lambda policy: None,
) -> Comparison:
    """Replay ``policies`` on recorded curves, beside uniform allocation and an oracle.

    Args:
        path: a run directory, or a file of recorded curves.
        policies: specs as for ``--policy``; by default :func:`default_policies`.
        limits: what differs from the budget of the run. Of a file it is 20 epochs per arm.
        seed: of the policies' randomness, the first of ``repeats``; by default that of the run.
        repeats: seeds for policies that are random.
        progress: told the name of each policy before its turn.

    Raises:
        InputError: an unknown policy, a limit out of range, or beyond what was recorded.
        RecordingError: the curves are missing, damaged, incomplete or empty.
        RunDirError: a directory that holds no search.
    """
    wanted = list(dict.fromkeys(policies)) or default_policies()
    for policy in wanted:
        catalogue.build("policies", policy)
    _check_positive("repeats", repeats)
    source = _read(path)
    instances = _instances(source.recording, path)
    budget, why = _budget(source, limits or Limits(), instances)
    first = source.seed if seed is None else seed
    rows = _own_row(source, instances)
    for policy in [*wanted, *([] if UNIFORM in wanted else [UNIFORM])]:
        progress(policy)
        rows[policy] = outcomes(policy, instances, budget, range(first, first + repeats))
    rows[ORACLE] = oracle_outcomes(instances, budget)
    return Comparison(
        path, instances, budget, why, rows, source.complete_by, source.run and source.run[0]
    )


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise InputError(f"--{name.replace('_', '-')} must be above 0, not {value}.")


def _read(path: Path) -> _Source:
    if path.is_dir():
        return _of_run(path)
    if not path.exists():
        raise RecordingError(f"there is no {path}: give a run directory or a file of curves.")
    recording = read_recording(path)
    arms = max((len(recording.of_seed(seed)) for seed in recording.seeds), default=0)
    longest = max((len(curve.valid) for curve in recording.curves), default=0)
    enough = longest >= EPOCHS_PER_ARM
    why = f"{EPOCHS_PER_ARM} per arm, the default of `bandit`" if enough else "all recorded"
    epochs = min(EPOCHS_PER_ARM, longest) * arms
    return _Source(
        recording, Budget(epochs=epochs), why, 0,
        f"vaesearch bandit --policy uniform --epochs {arms * longest}",
    )  # fmt: skip


def _of_run(path: Path) -> _Source:
    """What a run directory says of its search, finished or not; nothing in it is touched."""
    run_dir = RunDir(path)
    events = read_ledger(run_dir.ledger)
    if not events or not isinstance(events[0], SearchStarted):
        raise RunDirError(f"{path} holds no search yet: run `vaesearch bandit --run-dir {path}`.")
    state = fold(events, Budget())
    config = Config.from_dict(state.config, source=str(path))
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
    return _Source(recording, budget, why, config.seed, whole, own)


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


def _instances(recording: Recording, path: Path) -> tuple[Instance, ...]:
    instances = instances_of(recording)
    if not any(instance.epochs for instance in instances):
        raise RecordingError(f"{path} has no epoch of any arm yet: there is nothing to replay.")
    return tuple(instance for instance in instances if instance.epochs)


def _budget(source: _Source, limits: Limits, instances: Sequence[Instance]) -> tuple[Budget, str]:
    """The budget of the replays, and where it comes from."""
    epochs = min(instance.epochs for instance in instances)
    seconds = min(instance.seconds for instance in instances)
    longest = min(instance.longest for instance in instances)
    for name, value, recorded, unit in (
        ("epochs", limits.epochs, epochs, "epochs"),
        ("seconds", limits.seconds, seconds, "seconds of training"),
        ("max-epochs-per-arm", limits.max_epochs_per_arm, longest, "epochs of any arm"),
    ):
        if value is not None and value > recorded:
            raise InputError(f"--{name} {value:g} is more than was recorded: {recorded:g} {unit}.")
    budget, why = source.budget, source.why
    if limits.epochs is not None or limits.seconds is not None:
        budget, why = replace(budget, epochs=limits.epochs, seconds=limits.seconds), "as asked"
    cap = limits.max_epochs_per_arm or budget.cap
    return replace(budget, cap=cap, workers=limits.workers or budget.workers), why


def _own_row(source: _Source, instances: Sequence[Instance]) -> dict[str, tuple[Outcome, ...]]:
    if source.run is None:
        return {}
    name, trace = source.run
    return {name: (Outcome(instances[0], None, trace, {}),)}


def write_comparison(comparison: Comparison, folder: Path | None = None) -> list[Path]:
    """Write ``replay.png`` and ``replay.json``; returns where.

    Args:
        comparison: to write.
        folder: where to; by default ``replay`` in the run directory. A file of curves has no
            such place: nothing is written then.

    Raises:
        StorageError: the disk is full or read-only.
    """
    if folder is None:
        if not comparison.source.is_dir():
            return []
        folder = RunDir(comparison.source).replays
    picture, data = folder / "replay.png", folder / "replay.json"
    comparison_figure(comparison, picture)
    write_file(data, (json.dumps(to_data(comparison), indent=2) + "\n").encode())
    return [picture, data]
