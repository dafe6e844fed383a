"""What other policies would have done with the budget of a run, on the curves that it recorded.

For example ``in_hindsight(Path("runs/first"), ["ucb"])``; ``vaesearch replay`` prints the same.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import Config
from vaesearch.errors import InputError, RecordingError
from vaesearch.recordings import Recording
from vaesearch.report.comparison import Comparison, to_data
from vaesearch.report.comparison_figure import comparison_figure
from vaesearch.report.figures import write_file
from vaesearch.search.comparison import ORACLE, UNIFORM, oracle_outcomes, outcomes
from vaesearch.search.instances import Instance, instances_of
from vaesearch.search.outcomes import Outcome
from vaesearch.search.run_dir import RunDir
from vaesearch.search.sources import Source, read_source
from vaesearch.storage import is_url

REPEATS = 5


def default_policies() -> list[str]:
    """What is compared unless one says otherwise: the default policy and some known ones."""
    return list(dict.fromkeys([Config().policy, "auto", "thompson", "ucb", "successive-halving"]))


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


def in_hindsight(
    path: str | Path,
    policies: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    seed: int | None = None,
    repeats: int = REPEATS,
    progress: Callable[[str], None] = lambda policy: None,
) -> Comparison:
    """Replay ``policies`` on recorded curves, beside uniform allocation and an oracle.

    Args:
        path: a run directory or its URL, or a file of recorded curves.
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
    source = read_source(path)
    instances = _instances(source.recording, path)
    budget, why = _budget(source, limits or Limits(), instances)
    first = source.seed if seed is None else seed
    rows = _own_row(source, instances, budget)
    for policy in [*wanted, *([] if UNIFORM in wanted else [UNIFORM])]:
        progress(policy)
        seeds = range(first, first + repeats)
        rows[policy] = outcomes(
            policy, instances, budget, seeds, chunk=source.chunk, overhead=source.overhead
        )
    rows[ORACLE] = oracle_outcomes(instances, budget)
    own = source.run and source.run[0]
    remarks = (*source.remarks, *_left_out(source.recording, instances))
    return Comparison(path, instances, budget, why, rows, source.complete_by, own, remarks)


def _left_out(recording: Recording, instances: Sequence[Instance]) -> Iterator[str]:
    used = {instance.seed for instance in instances}
    seeds = [str(seed) for seed in recording.seeds if seed not in used]
    if seeds:
        yield f"Left out, for some arms were not recorded: seeds {', '.join(seeds)}."


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise InputError(f"--{name.replace('_', '-')} must be above 0, not {value}.")


def _instances(recording: Recording, path: str | Path) -> tuple[Instance, ...]:
    instances = instances_of(recording)
    if not any(instance.epochs for instance in instances):
        raise RecordingError(f"{path} has no epoch of any arm yet: there is nothing to replay.")
    return tuple(instance for instance in instances if instance.epochs)


def _budget(source: Source, limits: Limits, instances: Sequence[Instance]) -> tuple[Budget, str]:
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


def _own_row(
    source: Source, instances: Sequence[Instance], budget: Budget
) -> dict[str, tuple[Outcome, ...]]:
    """What the run itself had come to when it had spent as much as the replays may."""
    if source.run is None:
        return {}
    name, trace = source.run
    if budget.epochs is not None:
        trace = trace.first(budget.epochs)
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
    run_dir = None
    if folder is None:
        if not is_url(comparison.source) and not Path(comparison.source).is_dir():
            return []
        run_dir = RunDir(comparison.source)
        folder = run_dir.replays
    picture, data = folder / "replay.png", folder / "replay.json"
    comparison_figure(comparison, picture)
    write_file(data, (json.dumps(to_data(comparison), indent=2) + "\n").encode())
    if run_dir is not None:
        run_dir.put()
    return [picture, data]
