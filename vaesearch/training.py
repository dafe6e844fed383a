"""One epoch of training, with the data resident on the device and nothing read back inside it.

The images stay uint8 where they are trained on; a permutation per epoch indexes them and they are
scaled on the fly. The loss is accumulated on the device and read once, at the end of the epoch.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import CheckpointError, DivergedError
from vaesearch.models.priors import LatentPrior
from vaesearch.models.vae import VAE, build_model
from vaesearch.objectives import Loss
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import derive, torch_generator

# One number has to follow the error of all pixels; at the networks' own pace it lags for epochs,
# and what tells arms apart hides behind it.
SCALE_RATE = 30.0


@dataclass
class TrialState:
    """An arm in training: all that a checkpoint holds."""

    arm: Arm
    model: VAE
    optimizer: torch.optim.Optimizer
    epoch: int = 0

    def to_dict(self) -> dict[str, object]:
        """Tensors and plain data, to be saved."""
        return {
            "arm": self.arm.name,
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, saved: dict[str, object]) -> None:
        """Take over what :meth:`to_dict` gave."""
        self.model.load_state_dict(saved["model"])  # type: ignore[arg-type]
        self.optimizer.load_state_dict(saved["optimizer"])  # type: ignore[arg-type]
        self.epoch = int(saved["epoch"])  # type: ignore[call-overload]


def new_state(
    arm: Arm, shape: tuple[int, int, int], seed: int, device: torch.device
) -> TrialState:
    """An untrained arm on ``device``; its weights follow from the seed and the arm's name.

    Raises:
        InputError: the arm's parts do not fit the images.
    """
    model = build_model(arm.settings, shape, derive(seed, arm.name)).to(device)
    return TrialState(arm, model, make_optimizer(model, arm.settings))


def restore(
    store: CheckpointStore,
    arm: Arm,
    epoch: int,
    digest: str,
    shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
) -> TrialState:
    """The state of ``arm`` after ``epoch`` epochs, from its checkpoint.

    Raises:
        CheckpointError: it is missing, damaged, or of another architecture.
    """
    saved = store.load(arm.name, epoch, digest, str(device))
    state = new_state(arm, shape, seed, device)
    try:
        state.load(saved)
    except (RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{store.address(arm.name, epoch, digest)} is of another architecture: {error}"
        ) from error
    return state


def make_optimizer(model: VAE, settings: TrialSettings) -> torch.optim.Optimizer:
    """Fused Adam; the likelihood's own scale learns faster than the networks."""
    scale = list(model.likelihood.parameters())
    networks = [p for p in model.parameters() if all(p is not s for s in scale)]
    groups = [
        {"params": networks, "lr": settings.learning_rate},
        {"params": scale, "lr": settings.learning_rate * SCALE_RATE},
    ]
    return torch.optim.Adam([g for g in groups if g["params"]], fused=True)


def train_epoch(
    state: TrialState, images: Tensor, seed: int, *, deadline: float | None = None
) -> float | None:
    """Train ``state`` for one epoch in place.

    Args:
        state: at epoch n; at n + 1 afterwards.
        images: uint8 ``[N, C, H, W]`` on the model's device.
        seed: of the search; data order and noise follow from it, the arm and the epoch.
        deadline: ``time.monotonic()`` after which to give up in the middle.

    Returns:
        The mean training loss in nats per image, or None where the deadline came first; the state
        is then no epoch's and must be thrown away.

    Raises:
        DivergedError: the loss is not a number any more.
    """
    epoch = state.epoch + 1
    generator = torch_generator(seed, state.arm.name, epoch, device=images.device)
    settings, model = state.arm.settings, state.model
    loss = Loss(settings)
    model.train()
    if state.epoch == 0:
        _start_prior(state, images, seed)
    total = torch.zeros((), device=images.device)
    batches = 0
    steps = max(1, len(images) // settings.batch_size)
    for x in shuffled_batches(images, settings.batch_size, generator):
        state.optimizer.zero_grad(set_to_none=True)
        value = loss(model, x, generator, state.epoch + batches / steps)
        value.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        total += value.detach()
        batches += 1
        if deadline is not None and time.monotonic() > deadline:
            return None
    mean = float(total) / batches
    if mean != mean or mean in (float("inf"), float("-inf")):
        raise DivergedError(f"training loss became {mean} in epoch {epoch}")
    model.likelihood.end_epoch(mean)
    state.epoch = epoch
    return mean


def _start_prior(state: TrialState, images: Tensor, seed: int) -> None:
    """Show the images to a prior that wants to start from them."""
    if isinstance(state.model.prior, LatentPrior):
        generator = torch_generator(seed, state.arm.name, "prior", device=images.device)
        state.model.prior.start_from(images, generator)


def shuffled_batches(images: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches in [0, 1] in random order; a last, smaller one is left to another epoch's order."""
    count = len(images)
    size = min(size, count)
    order = torch.randperm(count, generator=generator, device=images.device)
    for start in range(0, count - size + 1, size):
        yield images[order[start : start + size]].float().div_(255)
