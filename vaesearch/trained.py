"""A trained model of a run directory, with the images that it was trained on.

For example ``open_trained(Path("runs/first")).model``: the best checkpoint of the best arm.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config
from vaesearch.data import ImageData, load_data
from vaesearch.errors import CheckpointError, InputError, RunDirError, unknown_name
from vaesearch.evaluation import fit_aggregate
from vaesearch.models.priors import FittedMixturePrior
from vaesearch.models.vae import VAE
from vaesearch.pull import restore
from vaesearch.records import Arm
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import ArmState, SearchState, fold


@dataclass(frozen=True, eq=False)
class Trained:
    """A checkpoint, opened.

    Attributes:
        run_dir: where it lies.
        config: of the search.
        arm: which candidate.
        epoch: of the checkpoint.
        digest: SHA-256 of the checkpoint's file.
        model: in evaluation mode; a prior ``gmm:M`` is fitted.
        data: the images of the search.
    """

    run_dir: RunDir
    config: Config
    arm: Arm
    epoch: int
    digest: str
    model: VAE
    data: ImageData


def open_trained(
    path: Path,
    arm: str | None = None,
    epoch: int | str = "best",
    *,
    data_dir: str | None = None,
    device: str = "cpu",
) -> Trained:
    """Open a checkpoint of the search in ``path``, which may be running.

    Args:
        path: a run directory.
        arm: its name; by default the best one.
        epoch: ``best``, ``last``, or a number; only those two checkpoints of each arm are kept.
        data_dir: where the images are now, if not where the search had them.
        device: to put the model on.

    Raises:
        RunDirError: no search there, or its images have changed.
        InputError: no such arm or checkpoint, or the device cannot be used.
        CheckpointError: the checkpoint is missing, damaged or of another configuration.
    """
    run_dir = RunDir(path)
    state = read_state(run_dir)
    config = Config.from_dict(state.config, source=str(path))
    config = replace(config, data_dir=data_dir or config.data_dir)
    found = _find_arm(state, arm)
    number = _find_epoch(found, epoch)
    data = load_data(config)
    if data.fingerprint != state.data["fingerprint"]:
        raise RunDirError(
            f"the images of {config.dataset} in {config.data_dir} are not those that {path} was "
            "trained on: give their folder with --data-dir."
        )
    digest = found.checkpoints[number]
    store, where = CheckpointStore(run_dir.checkpoints), _device(device)
    model = restore(store, found.arm, number, digest, data.shape, config.seed, where).model.eval()
    if isinstance(model.prior, FittedMixturePrior):
        images = torch.tensor(data.train, device=where)
        model.take_aggregate(fit_aggregate(model, images, config.seed))
    return Trained(run_dir, config, found.arm, number, digest, model, data)


def read_state(run_dir: RunDir) -> SearchState:
    """What the ledger of a run says.

    Raises:
        RunDirError: there is none, or it is damaged.
    """
    if not run_dir.ledger.exists():
        raise RunDirError(f"{run_dir.path} is not the directory of a search: it has no ledger.")
    state = fold(read_ledger(run_dir.ledger), Budget())
    if not state.arms:
        raise RunDirError(f"{run_dir.path} holds no search yet.")
    return state


def _find_arm(state: SearchState, name: str | None) -> ArmState:
    if name is None:
        return state.arms[state.ranking[0]]
    if name not in state.arms:
        raise unknown_name("arm", name, state.arms)
    return state.arms[name]


def _find_epoch(arm: ArmState, epoch: int | str) -> int:
    if not arm.checkpoints or arm.best is None:
        raise CheckpointError(f"{arm.arm.name} has no checkpoint: {arm.note or 'not trained'}.")
    named = {"best": arm.best.epoch, "last": max(arm.checkpoints)}
    number = named.get(epoch, epoch) if isinstance(epoch, str) else epoch
    if number not in arm.checkpoints:
        kept = ", ".join(str(e) for e in sorted(arm.checkpoints))
        raise InputError(
            f"{arm.arm.name} has no checkpoint of epoch {epoch}; kept are best and last: {kept}."
        )
    return int(number)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name} cannot be used here: use cpu.") from error
    return device
