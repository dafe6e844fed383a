"""The chosen mixture, where a person and ``load_model`` find it."""

import json
from contextlib import suppress

import torch

from vaesearch.data import ImageData
from vaesearch.errors import StorageError
from vaesearch.evaluation import pictures
from vaesearch.mixtures.fitting import Fitter
from vaesearch.pull import SAMPLES, SHOWN, save_model
from vaesearch.report.artifacts import draw_pictures, write_text
from vaesearch.search.mixtures import (
    Chosen,
    load_parameters,
    merge_fits,
    save_parameters,
    with_components,
)
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import findings
from vaesearch.threads import threads
from vaesearch.trained import Checkpoint


def adopt(
    run_dir: RunDir, found: Checkpoint, data: ImageData, fitter: Fitter, chosen: Chosen, seed: int
) -> None:
    """Put the chosen mixture into the arm's model and pictures; what says so is written last.

    Args:
        run_dir: of the search.
        found: the arm's best checkpoint.
        data: of the search.
        fitter: that scored the mixtures.
        chosen: which of them.
        seed: of the search, for the noise of pictures.

    Raises:
        StorageError: the disk is full or read-only.
    """
    mixture = fitter.mixture(chosen.components)
    parameters = {name: value.numpy() for name, value in mixture.to_dict().items()}
    arm, folder, model = found.arm, run_dir.arm(found.arm.name), fitter.model.cpu()
    with threads():
        shown = pictures(model, torch.tensor(data.test[:SHOWN]), mixture, count=SAMPLES, seed=seed)
    try:
        draw_pictures(folder, shown, data.shape)
        weights = model.state_dict()
        save_model(folder / "model.pt", arm.settings, data.shape, found.epoch, weights, parameters)
        save_parameters(run_dir, arm.name, found.epoch, found.digest, parameters)
        merge_fits(run_dir, arm.name, found.epoch, [], chosen)
    except OSError as error:
        raise StorageError(f"cannot write in {run_dir.path}: {error.strerror}.") from error


def is_adopted(run_dir: RunDir, found: Checkpoint) -> bool:
    """Whether a chosen mixture of the checkpoint is kept, and there is a model to carry it."""
    name = found.arm.name
    kept = load_parameters(run_dir, name, found.epoch, found.digest)
    return kept is not None and (run_dir.arm(name) / "model.pt").exists()


def note_results(run_dir: RunDir, state: SearchState) -> None:
    """Say in ``results.json`` and ``best.yaml`` how many Gaussians were chosen, if they are there.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with suppress(FileNotFoundError, ValueError, KeyError):
        before = json.loads(run_dir.results.read_text())
        after = with_components(run_dir, state, before)
        if after != before:
            write_text(run_dir.results, json.dumps(after, indent=2) + "\n")
    if state.space is not None and run_dir.best.exists():
        from vaesearch.report.tuning.writing import write_trials  # it needs Optuna

        write_trials(run_dir, state, findings(state))
