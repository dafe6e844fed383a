"""The files that a person finds in a run directory, and MLflow shows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import StorageError
from vaesearch.events import Event
from vaesearch.pull import export_model
from vaesearch.recordings import recording_to_bytes
from vaesearch.records import Appraisal, AppraisalRequest
from vaesearch.report.figures import allocation, image_grid, learning_curves
from vaesearch.report.machine import hardware, software
from vaesearch.report.tables import ranking_table, results, to_markdown
from vaesearch.report.uncertainty import uncertainty
from vaesearch.search.mixtures import with_components
from vaesearch.search.replays import recording_of
from vaesearch.search.run_dir import RunDir
from vaesearch.search.savings import Savings, estimate_savings
from vaesearch.search.state import SearchState
from vaesearch.storage.local import write_atomically


def keep_appraisal(
    run_dir: RunDir,
    store: CheckpointStore,
    shape: tuple[int, int, int],
    request: AppraisalRequest,
    result: Appraisal,
) -> None:
    """Store an arm's model and pictures: reconstructions, samples and samples of the prior.

    Where the decoder predicts a spread, a picture of that, too.

    Raises:
        StorageError: the disk is full or read-only.
    """
    folder = run_dir.arm(request.arm.name)
    draw_pictures(folder, result.pictures, shape)
    try:
        export_model(store, request, result, shape, folder / "model.pt")
    except OSError as error:
        raise StorageError(f"cannot write {folder / 'model.pt'}: {error.strerror}.") from error


def draw_pictures(
    folder: Path, shown: Mapping[str, np.ndarray], shape: tuple[int, int, int]
) -> None:
    """Write what :func:`vaesearch.evaluation.pictures` shows of an arm into its folder.

    Raises:
        StorageError: the disk is full or read-only.
    """
    pairs = np.stack([shown["originals"], shown["reconstructions"]], axis=1).reshape(-1, *shape)
    title = "test images, reconstructions below"
    image_grid(pairs, folder / "reconstructions.png", 8, 2, title=title, pairs=True)
    image_grid(shown["samples"], folder / "samples.png", 8, 2)
    image_grid(shown["prior_samples"], folder / "prior_samples.png", 8, 2)
    if "sample_deviations" in shown:
        uncertainty(shown, folder / "uncertainty.png")


def write_results(run_dir: RunDir, state: SearchState, events: Sequence[Event]) -> Savings | None:
    """Write ``results.json``, the curves, the ranking and the pictures of the whole search.

    Returns:
        The epochs saved, as written; None where there is nothing to compare.

    Raises:
        StorageError: the disk is full or read-only.
    """
    saved = estimate_savings(events, state)
    learning_curves(state, run_dir.plots / "learning_curves.png")
    allocation(state, list(events), run_dir.plots / "allocation.png")
    recording = recording_of(state, hardware=hardware(), software=software())
    _write(run_dir.curves, recording_to_bytes(recording))
    remark = f"\n{saved.sentence()}\n" if saved else ""
    write_text(run_dir.ranking, to_markdown(ranking_table(state)) + remark + "\n")
    content = with_components(run_dir, state, results(state))
    content |= {"saved": asdict(saved) if saved else None}
    write_text(run_dir.results, json.dumps(content, indent=2) + "\n")
    return saved


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageError: the disk is full or read-only.
    """
    _write(path, text.encode())


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}.") from error
