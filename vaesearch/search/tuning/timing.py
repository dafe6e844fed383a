"""How long an epoch of a candidate will take on this machine, by a few of its steps."""

import time
from collections.abc import Callable
from contextlib import suppress

import torch

from vaesearch.compatibility import has_mass
from vaesearch.data import ImageData
from vaesearch.errors import DivergedError
from vaesearch.evaluation import validate
from vaesearch.records import Arm, TrialSettings
from vaesearch.threads import threads
from vaesearch.training import TrialState, new_state, train_epoch

STEPS = 5
VALIDATED = 256  # images


def seconds_per_epoch(settings: TrialSettings, data: ImageData, seed: int) -> float:
    """Seconds of training and validation of one epoch, from a few real steps after warming up.

    Args:
        settings: of a candidate.
        data: that it would be trained on.
        seed: of weights and noise.

    Raises:
        InputError: its parts do not fit the images.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = min(settings.batch_size, len(data.train))
    images = torch.tensor(data.train[: size * STEPS], device=device)
    valid = torch.tensor(data.valid[:VALIDATED], device=device)
    with threads():
        state = new_state(Arm("timed", settings), data.shape, seed, device)
        _train(state, images[:size], seed)
        training = _timed(lambda: _train(state, images, seed), device)
        validation = _timed(
            lambda: validate(state.model, valid, has_mass=has_mass(settings)), device
        )
    return training * len(data.train) / len(images) + validation * len(data.valid) / len(valid)


def _train(state: TrialState, images: torch.Tensor, seed: int) -> None:
    with suppress(DivergedError):  # it takes as long all the same
        train_epoch(state, images, seed)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
