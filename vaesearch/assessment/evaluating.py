"""Measure checkpoints of a run directory, and keep what was found there.

Everything that can be refused is refused before the first measurement. What was measured before
under the same key is not measured again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vaesearch.assessment.asking import Asked, Conditions, choose
from vaesearch.assessment.measuring import check, key_of, take
from vaesearch.assessment.picking import Note, pick
from vaesearch.assessment.sending import publish
from vaesearch.errors import CheckpointError, InputError, StorageError
from vaesearch.evaluation.metrics import Metric
from vaesearch.evaluation.subject import Subject
from vaesearch.records import Estimate
from vaesearch.search.evaluations import Key, Record, merge_records, read_records
from vaesearch.search.opening import open_run
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.threads import threads
from vaesearch.trained import (
    Checkpoint,
    config_of,
    find_device,
    fit_prior,
    load_checkpoint,
    load_images,
    read_state,
)

TRIES = 3  # a running search may delete a checkpoint between our look at the ledger and at it

Watch = Callable[[str, str, float], None]  # told an arm, a metric, and the share that is done


@dataclass(frozen=True)
class Assessment:
    """What is known of one checkpoint.

    Attributes:
        arm: whose checkpoint.
        epoch: of it.
        digest: SHA-256 of its file.
        path: of the JSON file that the records are kept in.
        records: a measurement each, in the order in which they were asked for.
        left_out: quick metrics that are not defined for this model, with the reason.
        unkept: why the records could not be written; empty if they were.
    """

    arm: str
    epoch: int
    digest: str
    path: Path
    records: tuple[Record, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    unkept: str = ""

    @property
    def figures(self) -> dict[str, Estimate]:
        """All figures by name; of two with the same name the later one."""
        return {name: value for r in self.records for name, value in r.figures.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        measurements = [r.to_dict() | {"cached": r.cached} for r in self.records]
        return {
            "arm": self.arm,
            "epoch": self.epoch,
            "digest": self.digest,
            "path": None if self.unkept else str(self.path),
            "measurements": measurements,
            "left_out": self.left_out,
        }


@dataclass(eq=False)
class _Plan:
    """One checkpoint: what is known of it, and what is still to be measured."""

    checkpoint: Checkpoint
    path: Path
    keys: list[tuple[Asked, Key]]
    known: dict[str, Record]
    left_out: dict[str, str] = field(default_factory=dict)
    subject: Subject | None = None
    unkept: str = ""

    def to_do(self) -> list[tuple[Asked, Key]]:
        done = (*self.known, *self.left_out)
        return [(asked, key) for asked, key in self.keys if asked.spec not in done]

    def result(self) -> Assessment:
        found = self.checkpoint
        records = [self.known[asked.spec] for asked, _ in self.keys if asked.spec in self.known]
        return Assessment(
            found.arm.name, found.epoch, found.digest, self.path, tuple(records), self.left_out,
            self.unkept,
        )  # fmt: skip


def evaluate(
    path: Path | str,
    metrics: str | Sequence[str | Metric] | None = None,
    *,
    arms: str | Iterable[str] | None = None,
    epoch: int | str = "best",
    again: bool = False,
    device: str = "cpu",
    data_dir: str | None = None,
    send: bool = True,
    watch: Watch = lambda arm, spec, share: None,
    note: Note = lambda text: None,
    **conditions: Any,
) -> list[Assessment]:
    """Measure checkpoints of the search in ``path``, keep the figures there and send them.

    For example ``evaluate("runs/first", "elbo,bpd:100", split="valid")[0].figures["bpd"]``. The
    search may still be running.

    Args:
        path: a run directory.
        metrics: a list as for ``--metrics``, or metrics; by default the quick ones that are
            defined for the model.
        arms: one name or several, or ``all``; by default the best arm.
        epoch: ``best``, ``last``, or a number; only those two checkpoints of each arm are kept.
        again: measure what was measured before, too.
        device: to measure on.
        data_dir: where the images are now, if not where the search had them.
        send: what was found to MLflow, where the search is; else :func:`publish` does it.
        watch: told how far each metric is: 0 when it begins, 1 when its figures are kept.
        note: told what was left out and why, in a line each, and what MLflow lacks.
        conditions: ``split``, ``images``, ``seed``, ``extractor`` and ``chunk``, as for a
            :class:`~vaesearch.evaluation.subject.Subject`; ``images`` is its limit.

    Raises:
        InputError: something that was asked for cannot be had; nothing was measured.
        RunDirError: not the directory of a search, its images have changed, or the file of its
            measurements is damaged.
        CheckpointError: a checkpoint is missing, damaged or of another configuration.
    """
    given = Conditions(**conditions)
    asked, where, run_dir = choose(metrics), find_device(device), open_run(path)
    wanted = None if arms is None else [arms] if isinstance(arms, str) else list(arms)
    for attempt in range(TRIES):
        state, notes = read_state(run_dir), list[str]()
        plans = [
            _plan(run_dir, state, checkpoint, asked, given, again=again)
            for checkpoint in pick(state, wanted, epoch, notes.append)
        ]
        try:
            _open(run_dir, state, plans, given, where, data_dir)
            break
        except CheckpointError:
            run_dir.fetch()
            moved_on = read_state(run_dir).history.spent > state.history.spent
            if attempt + 1 == TRIES or not moved_on:
                raise
    for text in notes:
        note(text)
    for plan in plans:
        _carry_out(
            plan, int(state.config.get("seed", 0)), partial(watch, plan.checkpoint.arm.name)
        )
    found = [plan.result() for plan in plans]
    try:
        run_dir.put()
    except StorageError as error:
        note(f"{error} The figures are in {run_dir.evaluations}.")
    if send:
        publish(run_dir.address, found, note)
    return found


def _plan(
    run_dir: RunDir,
    state: SearchState,
    checkpoint: Checkpoint,
    asked: Sequence[Asked],
    given: Conditions,
    *,
    again: bool,
) -> _Plan:
    path = run_dir.evaluation(checkpoint.arm.name, checkpoint.epoch)
    count = state.data["counts"][given.split]
    images = min(given.images or count, count)
    keys = [
        (each, key_of(each, given, images, state.data["fingerprint"], checkpoint.digest))
        for each in asked
    ]
    kept = read_records(path)
    known = {
        each.spec: replace(record, cached=True)
        for each, key in keys
        for record in kept
        if record.key == key and not again
    }
    return _Plan(checkpoint, path, keys, known)


def _open(
    run_dir: RunDir,
    state: SearchState,
    plans: Sequence[_Plan],
    given: Conditions,
    device: torch.device,
    data_dir: str | None,
) -> None:
    """Open what is to be measured, and ask every metric whether it is defined for it."""
    if not any(plan.to_do() for plan in plans):
        return
    config, data = config_of(run_dir, state), load_images(run_dir, state, data_dir)
    for plan in plans:
        if plan.to_do():
            model = load_checkpoint(run_dir, config, plan.checkpoint, data, device)
            plan.subject = Subject(
                model, data, split=given.split, limit=given.images, seed=given.seed,
                extractor=given.extractor, chunk=given.chunk,
            )  # fmt: skip
            _check(plan, plan.subject)


def _check(plan: _Plan, subject: Subject) -> None:
    for asked, _ in plan.to_do():
        try:
            check(asked, subject)
        except InputError as error:
            if asked.by_name:
                raise InputError(f"{plan.checkpoint.arm.name}: {error}") from error
            plan.left_out[asked.spec] = str(error)


def _carry_out(plan: _Plan, seed: int, watch: Callable[[str, float], None]) -> None:
    """Measure what is left to do; each figure is kept before the next one is begun."""
    subject, plan.subject = plan.subject, None  # its images leave the memory with it
    if subject is None or not plan.to_do():
        return
    with threads():
        fit_prior(subject.model, subject.data, seed)
    for asked, key in plan.to_do():
        watch(asked.spec, 0.0)
        record = take(asked, subject, key, partial(_partly, watch, asked.spec))
        plan.known[asked.spec] = record
        plan.unkept = _keep(plan, record)
        watch(asked.spec, 1.0)


def _partly(watch: Callable[[str, float], None], spec: str, share: float) -> None:
    """It is all done only once the figures are kept."""
    watch(spec, 0.99 * min(1.0, share))


def _keep(plan: _Plan, record: Record) -> str:
    """Write a record to its file; why it could not be done, or nothing."""
    found = plan.checkpoint
    try:
        merge_records(plan.path, found.arm.name, found.epoch, [record])
    except OSError as error:
        return f"cannot write {plan.path}: {error.strerror}."
    return ""
