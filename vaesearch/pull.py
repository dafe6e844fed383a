"""A pull: from an arm's checkpoint after epoch n to the one after epoch n + c, and a report.

The outcome is a function of the arm, the checkpoint and the seed, so it may be repeated after a
crash, on another worker, or after the arm's state went through a file, and is the same.
"""

import io
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaesearch.checkpoints import CheckpointStore
from vaesearch.compatibility import has_mass
from vaesearch.data import ImageData
from vaesearch.errors import CheckpointError, DivergedError, OutOfMemoryError
from vaesearch.evaluation import appraise, divergence, fit_aggregate, pictures, validate
from vaesearch.memory import stage, tidy_up, with_room
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.vae import VAE, build_model
from vaesearch.records import (
    Appraisal,
    AppraisalRequest,
    Arm,
    EpochReport,
    PullReport,
    PullRequest,
    TrialSettings,
)
from vaesearch.storage.local import write_atomically
from vaesearch.threads import threads
from vaesearch.ticking import ticking
from vaesearch.training import TrialState, new_state, restore, train_epoch

CACHE_BYTES = 2**30
SHOWN = 16  # test images beside their reconstructions
SAMPLES = 64


class Workbench:
    """What a worker keeps between pulls: the images on its device and recently used arm states.

    Args:
        data: train and validation images are moved to the device once, as uint8.
        store: where checkpoints go and come from.
        seed: of the search.
        reward: name of the validation figure to report as reward.
        device: ``cpu`` or ``cuda``.
        consistency: whether epochs are to report it, which costs another encoding per image.
        cache_bytes: how much of arm states to keep; the rest is read back from its checkpoint.
        on_step: called at least once for every batch, in training, validation and appraisal, and
            once a second in what takes long beside those, so that whoever watches knows that
            something moves. Called from several threads.
    """

    def __init__(
        self,
        data: ImageData,
        store: CheckpointStore,
        *,
        seed: int,
        reward: str,
        device: str = "cpu",
        consistency: bool = False,
        cache_bytes: int = CACHE_BYTES,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.data = data
        self.store = store
        self.seed = seed
        self.reward = reward
        self.device = torch.device(device)
        self._consistency = consistency
        self._train = self._resident(data.train)
        self._valid = self._resident(data.valid)
        self._cache: OrderedDict[tuple[str, int, str], TrialState] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._on_step = on_step

    def pull(self, request: PullRequest) -> PullReport:
        """Carry ``request`` out; every epoch it reports is covered by a durable checkpoint.

        Raises:
            CheckpointError: the checkpoint to start from is missing or damaged.
            StorageError: a checkpoint cannot be written.
            InputError: the arm does not fit the images.
            OutOfMemoryError: nor into the memory of the GPU.
        """
        limit = request.seconds_left
        deadline = None if limit is None else time.monotonic() + limit
        with threads():
            return with_room(
                lambda: self._pull(request, self._take(request), deadline), self.forget
            )

    def forget(self) -> None:
        """Drop all arm states; they are read back from their checkpoints."""
        self._cache.clear()
        tidy_up()

    def _pull(self, request: PullRequest, state: TrialState, deadline: float | None) -> PullReport:
        reports: list[EpochReport] = []
        digests: dict[int, str] = {}
        best = -np.inf if request.best_reward is None else request.best_reward
        saving = 0.0
        target = request.from_epoch + request.epochs
        while state.epoch < target:
            try:
                report = self._epoch(state, deadline)
            except DivergedError as error:
                return PullReport(request.pull, tuple(reports), digests, str(error))
            if report is None:
                return PullReport(request.pull, tuple(reports), digests)
            reports.append(report)
            # With a deadline any epoch may turn out to be the last.
            if report.reward > best or state.epoch == target or deadline is not None:
                started = time.perf_counter()
                digests[state.epoch] = self._save(state)
                saving += (time.perf_counter() - started) * (state.epoch < target)
            best = max(best, report.reward)
        self._keep(state, digests[state.epoch])
        return PullReport(request.pull, tuple(reports), digests, saving=saving)

    def _epoch(self, state: TrialState, deadline: float | None) -> EpochReport | None:
        started = time.perf_counter()
        train_loss = train_epoch(state, self._train, self.seed, deadline=deadline)
        if train_loss is None:
            return None
        with stage(OutOfMemoryError.VALIDATION):
            figures = validate(
                state.model, self._valid, has_mass=has_mass(state.arm.settings),
                has_consistency=self._consistency,
            )  # fmt: skip
        if not np.isfinite(figures.get("consistency", 0.0)):
            del figures["consistency"]  # two encodings may be too far apart; the model is sound
        for name, value in figures.items():
            if not np.isfinite(value):
                raise DivergedError(f"validation {name} became {value} in epoch {state.epoch}")
        reward = -figures["bpd"] if self.reward == "bpd" else figures[self.reward]
        seconds = time.perf_counter() - started
        return EpochReport(state.epoch, reward, seconds, {**figures, "train_loss": train_loss})

    def appraise(self, request: AppraisalRequest) -> Appraisal:
        """Test figures and pictures of one checkpoint.

        Raises:
            CheckpointError: it is missing or damaged.
            OutOfMemoryError: it does not fit into the memory of the GPU.
        """
        with threads():
            return with_room(lambda: self._appraise(request), self.forget)

    def _appraise(self, request: AppraisalRequest) -> Appraisal:
        settings = request.arm.settings
        state = self._restore(request.arm, request.epoch, request.digest)
        model, test = state.model.eval(), self._resident(self.data.test)
        fitting = ticking(self._on_step)
        mixture = fit_aggregate(model, self._train, self.seed, fitting=fitting)
        metrics = appraise(model, test, has_mass=has_mass(settings), mixture=mixture)
        metrics |= divergence(mixture, model, self.seed)
        shown = pictures(model, test[:SHOWN], mixture, count=SAMPLES, seed=self.seed)
        aggregate = {name: value.cpu().numpy() for name, value in mixture.to_dict().items()}
        return Appraisal(request.arm.name, request.epoch, metrics, shown, aggregate)

    def _take(self, request: PullRequest) -> TrialState:
        """The state to start from. It leaves the cache: after a failure it would be no epoch's."""
        if request.digest is None:
            state = new_state(request.arm, self.data.shape, self.seed, self.device)
            return self._watched(state)
        cached = self._cache.pop((request.arm.name, request.from_epoch, request.digest), None)
        if cached is not None:
            # Its batches may have been halved since.
            cached.arm, cached.model.settings = request.arm, request.arm.settings
            return cached
        return self._restore(request.arm, request.from_epoch, request.digest)

    def _restore(self, arm: Arm, epoch: int, digest: str) -> TrialState:
        where = self.data.shape, self.seed, self.device
        with ticking(self._on_step):
            return self._watched(restore(self.store, arm, epoch, digest, *where))

    def _save(self, state: TrialState) -> str:
        with ticking(self._on_step):
            return self.store.save(state.arm.name, state.epoch, state.to_dict())

    def _watched(self, state: TrialState) -> TrialState:
        """Whatever is done with a model, batch after batch, goes through one of these."""
        for network in (state.model.encoder, state.model.decoder):
            network.register_forward_pre_hook(lambda *_: self._on_step())
        return state

    def _keep(self, state: TrialState, digest: str) -> None:
        """Remember the state, and forget the least recently used while there is too much."""
        for key in [k for k in self._cache if k[0] == state.arm.name]:
            del self._cache[key]
        self._cache[(state.arm.name, state.epoch, digest)] = state
        while len(self._cache) > 1 and sum(map(_size, self._cache.values())) > self._cache_bytes:
            self._cache.popitem(last=False)

    def _resident(self, images: np.ndarray) -> Tensor:
        # A copy: the array may be a read-only view of a file or of shared memory.
        return torch.tensor(np.asarray(images), device=self.device)


def _size(state: TrialState) -> int:
    """Bytes of weights; Adam's two moments make it three times that."""
    return 3 * sum(p.numel() * p.element_size() for p in state.model.parameters())


def export_model(
    store: CheckpointStore,
    request: AppraisalRequest,
    appraisal: Appraisal,
    shape: tuple[int, int, int],
    path: Path,
) -> None:
    """Write the model of an appraised checkpoint, without its optimiser, for :func:`load_model`.

    Raises:
        CheckpointError: the checkpoint is missing or damaged.
        OSError: ``path`` cannot be written.
    """
    saved = store.load(request.arm.name, request.epoch, request.digest)
    save_model(
        path, request.arm.settings, shape, request.epoch, saved["model"], appraisal.aggregate
    )


def save_model(
    path: Path,
    settings: TrialSettings,
    shape: tuple[int, int, int],
    epoch: int,
    weights: dict[str, Any],
    aggregate: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a model for :func:`load_model`, with the mixture fitted to its codes if there is one.

    Raises:
        OSError: ``path`` cannot be written.
    """
    payload: dict[str, Any] = {
        "settings": asdict(settings),
        "shape": list(shape),
        "epoch": epoch,
        "weights": weights,
        "aggregate": {name: torch.tensor(value) for name, value in (aggregate or {}).items()},
    }
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    write_atomically(path, buffer.getvalue())


def load_model(path: Path) -> VAE:
    """The trained model in a ``model.pt``, in evaluation mode on the CPU.

    Raises:
        CheckpointError: no such file, or not one of ours.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        model = build_model(TrialSettings(**saved["settings"]), tuple(saved["shape"]))
        model.load_state_dict(saved["weights"])
        if saved["aggregate"]:
            model.take_aggregate(FullGaussianMixture(**saved["aggregate"]))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a model of vaesearch: {error}") from error
    except (UnpicklingError, EOFError) as error:
        raise CheckpointError(f"{path} is not a model of vaesearch.") from error
    return model.eval()
