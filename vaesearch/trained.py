"""A trained model of a run directory, with the images that it was trained on.

For example ``open_trained(Path("runs/first")).model``: the best checkpoint of the best arm.
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config, TuneConfig, load_yaml, read_config
from vaesearch.data import ImageData, load_data
from vaesearch.errors import CheckpointError, DataError, InputError, RunDirError, unknown_name
from vaesearch.evaluation import fit_aggregate
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.priors import FittedMixturePrior
from vaesearch.models.vae import VAE
from vaesearch.records import Arm
from vaesearch.search.ledger import read_ledger
from vaesearch.search.mixtures import load_parameters
from vaesearch.search.opening import open_run
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import ArmState, SearchState, fold
from vaesearch.training import restore

DEVICES = ("cpu", "cuda")
EPOCHS = ("best", "last")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that the ledger names; ``digest`` is the SHA-256 of its file."""

    arm: Arm
    epoch: int
    digest: str


@dataclass(frozen=True, eq=False)
class Trained:
    """A checkpoint, opened.

    Attributes:
        run_dir: where it lies.
        config: of the search.
        arm: which candidate.
        epoch: of the checkpoint.
        digest: SHA-256 of the checkpoint's file.
        model: in evaluation mode, with the mixture that was chosen for it, if one was; a prior
            ``gmm:M`` is fitted.
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
    path: str | Path,
    arm: str | None = None,
    epoch: int | str = "best",
    *,
    data_dir: str | None = None,
    device: str = "cpu",
) -> Trained:
    """Open a checkpoint of the search in ``path``, which may be running.

    Args:
        path: a run directory, or its URL.
        arm: its name; by default the best one.
        epoch: ``best``, ``last``, or a number; only those two checkpoints of each arm are kept.
        data_dir: where the images are now, if not where the search had them.
        device: to put the model on.

    Raises:
        RunDirError: no search there, or its images have changed.
        InputError: no such arm or checkpoint, or the device cannot be used.
        CheckpointError: the checkpoint is missing, damaged or of another configuration.
    """
    run_dir, where = open_run(path), find_device(device)
    state = read_state(run_dir)
    found = find_checkpoint(state, arm, epoch)
    data = load_images(run_dir, state, data_dir)
    config = config_of(run_dir, state)
    model = load_checkpoint(run_dir, config, found, data, where)
    if not take_chosen(run_dir, found, model):
        fit_prior(model, data, config.seed)
    return Trained(run_dir, config, found.arm, found.epoch, found.digest, model, data)


def read_state(run_dir: RunDir) -> SearchState:
    """What the ledger of a run says.

    Raises:
        RunDirError: there is none, or it is damaged.
    """
    if not run_dir.ledger.exists():
        _refuse_shared(run_dir)
        raise RunDirError(f"{run_dir.address} is not the directory of a search: it has no ledger.")
    try:
        state = fold(read_ledger(run_dir.ledger), Budget())
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise RunDirError(f"{run_dir.ledger} is damaged: {error}.") from error
    if not state.arms or "fingerprint" not in state.data:
        raise RunDirError(f"{run_dir.address} holds no search yet.")
    return state


def _refuse_shared(run_dir: RunDir) -> None:
    """A shared encoder leaves a model, but no ledger and no checkpoints of arms."""
    if run_dir.config.exists() and load_yaml(run_dir.config).get("shared_encoder"):
        models = shlex.quote(str(run_dir.arm("DECODER") / "model.pt"))
        raise RunDirError(
            f"{run_dir.address} is of --shared-encoder, which keeps no checkpoints: in Python, "
            f"open {models} with\nvaesearch.load_model and measure it with vaesearch.measure."
        )


def config_of(run_dir: RunDir, state: SearchState) -> Config:
    """The options of a search, as it was last worked on."""
    return read_config(state.config, source=run_dir.address)


def find_checkpoint(
    state: SearchState, name: str | None = None, epoch: int | str = "best"
) -> Checkpoint:
    """The checkpoint of an arm, by default of the best one.

    Raises:
        InputError: no such arm, or it has no such checkpoint.
        CheckpointError: it has none at all.
    """
    arm = _find_arm(state, name)
    number = _find_epoch(arm, epoch)
    return Checkpoint(arm.arm, number, arm.checkpoints[number])


def _find_arm(state: SearchState, name: str | None) -> ArmState:
    if name is None:
        return state.arms[state.ranking[0]]
    if name not in state.arms:
        raise unknown_name("arm", name, state.arms)
    return state.arms[name]


def check_epoch(epoch: int | str) -> None:
    """Refuse what no arm can have.

    Raises:
        InputError: says what can be asked for.
    """
    if isinstance(epoch, str) and epoch not in EPOCHS:
        raise unknown_name("epoch", epoch, (*EPOCHS, "a number"))


def _find_epoch(arm: ArmState, epoch: int | str) -> int:
    check_epoch(epoch)
    if not arm.checkpoints or arm.best is None:
        raise CheckpointError(
            f"{arm.arm.name} has no checkpoint: {arm.note or 'not trained yet'}."
        )
    named = {"best": arm.best.epoch, "last": max(arm.checkpoints)}
    number = named[epoch] if isinstance(epoch, str) else epoch
    if number not in arm.checkpoints:
        kept = ", ".join(str(e) for e in sorted(arm.checkpoints))
        raise InputError(
            f"{arm.arm.name} has no checkpoint of epoch {epoch}; kept are best and last: {kept}."
        )
    return number


def load_images(run_dir: RunDir, state: SearchState, data_dir: str | None = None) -> ImageData:
    """The images of a search, from ``data_dir`` if they are there now.

    Raises:
        DataError: they are missing.
        RunDirError: there are others in their place.
    """
    config = config_of(run_dir, state)
    if data_dir is not None:
        config = replace(config, data_dir=data_dir, dataset=_moved(config.dataset, Path(data_dir)))
    give = f"give the folder that holds those of {run_dir.address} with --data-dir."
    try:
        data = load_data(config)
    except DataError as error:
        raise DataError(f"{str(error).partition(': give')[0].rstrip('.')}: {give}") from error
    if data.fingerprint != state.data["fingerprint"]:
        raise RunDirError(f"the images of {config.dataset} have changed since the search: {give}")
    return data


def _moved(dataset: str, folder: Path) -> str:
    """A file or folder of images of the same name in ``folder``, if there is one."""
    there = folder / Path(dataset).name
    return str(there) if Path(dataset).is_absolute() and there.exists() else dataset


def load_checkpoint(
    run_dir: RunDir, config: Config, found: Checkpoint, data: ImageData, device: torch.device
) -> VAE:
    """The model of a checkpoint, in evaluation mode; a prior ``gmm:M`` is not fitted yet.

    Raises:
        CheckpointError: it is missing, damaged, or of another configuration.
    """
    store = CheckpointStore(run_dir.checkpoints)
    name, epoch, digest = found.arm.name, found.epoch, found.digest
    file = store.address(name, epoch, digest)
    try:
        state = restore(store, found.arm, epoch, digest, data.shape, config.seed, device)
    except CheckpointError as error:
        if isinstance(config, TuneConfig) and not store.has(name, epoch, digest):
            raise CheckpointError(
                f"{file} was not kept: of a trial that was cut only the best "
                "checkpoint is, and only near the lead. Its values are in results.json."
            ) from error
        # What torch says of weights that do not fit takes a line for each of them.
        if len(str(error).splitlines()) > 1:
            raise CheckpointError(
                f"{file} is of another configuration: its weights are not "
                f"those of {name} as the ledger describes it."
            ) from error
        raise
    return state.model.eval()


def fit_prior(model: VAE, data: ImageData, seed: int) -> None:
    """Fit a prior ``gmm:M`` to the codes of the training images; no other needs it."""
    if isinstance(model.prior, FittedMixturePrior):
        images = torch.tensor(data.train, device=next(model.parameters()).device)
        model.take_aggregate(fit_aggregate(model, images, seed))


def take_chosen(run_dir: RunDir, found: Checkpoint, model: VAE) -> bool:
    """Give the model the mixture that was chosen for its checkpoint; whether there is one.

    Raises:
        RunDirError: its file is damaged.
    """
    chosen = load_parameters(run_dir, found.arm.name, found.epoch, found.digest)
    if chosen is None:
        return False
    device = next(model.parameters()).device
    parameters = {name: torch.tensor(value, device=device) for name, value in chosen.items()}
    model.take_aggregate(FullGaussianMixture(**parameters))
    return True


def find_device(name: str) -> torch.device:
    """The device of that name.

    Raises:
        InputError: it is not there, or torch has no such kind.
    """
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise unknown_name("device", name, DEVICES)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name} cannot be used here: use cpu.") from error
    return device
