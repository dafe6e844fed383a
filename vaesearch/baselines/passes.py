"""Passes over the training images, each followed by held-out figures of all decoders."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from vaesearch.baselines.draws import Draws
from vaesearch.baselines.shared_encoder import SharedEncoder
from vaesearch.compatibility import has_mass
from vaesearch.evaluation import validate
from vaesearch.seeding import torch_generator
from vaesearch.training import shuffled_batches

Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Pass:
    """One pass over the training images.

    Attributes:
        number: 1 for the first.
        draws: batches that each decoder was trained on.
        validation: figures of each decoder on the validation images after the pass, as of
            :func:`vaesearch.evaluation.validate`.
        regret: how much worse the held-out reward of a drawn decoder is on average, over the
            batches of the pass, than that of the best one after the pass.
        seconds: training and validation.
    """

    number: int
    draws: dict[str, int]
    validation: dict[str, dict[str, float]]
    regret: float
    seconds: float


def held_out(shared: SharedEncoder, images: Tensor) -> dict[str, dict[str, float]]:
    """Figures of every decoder on ``images``, uint8, in evaluation mode, with the same noise."""
    return {
        name: validate(model, images, has_mass=has_mass(model.settings))
        for name, model in shared.models.items()
    }


def reward_of(figures: Mapping[str, float], reward: str) -> float:
    """Higher is better."""
    return -figures["bpd"] if reward == "bpd" else figures[reward]


def train_pass(
    shared: SharedEncoder,
    draws: Draws,
    train: Tensor,
    valid: Tensor,
    *,
    number: int,
    seed: int,
    batch_size: int,
    reward: str,
) -> Pass:
    """Train on every batch once, with the decoder that ``draws`` names.

    Args:
        shared: is trained in place.
        draws: goes on where the last pass ended.
        train: images, uint8 ``[N, C, H, W]``.
        valid: images to score all decoders on, afterwards.
        number: of the pass; order and noise follow from it and the seed.
        seed: of the run.
        batch_size: images per batch.
        reward: name of the held-out figure that regret is about.

    Raises:
        DivergedError: a loss is not a number any more.
        PolicyError: the policy failed, or decided what is not allowed.
    """
    started = time.perf_counter()
    before = _epochs(draws)
    generator = torch_generator(seed, "shared encoder", number, device=train.device)
    for model in shared.models.values():
        model.train()
    for x in shuffled_batches(train, batch_size, generator):
        name = draws.next()
        if name is None:
            break
        draws.observe(shared.step(name, x, generator))
    drawn = {name: count - before[name] for name, count in _epochs(draws).items()}
    figures = held_out(shared, valid)
    regret = _regret(drawn, {name: reward_of(f, reward) for name, f in figures.items()})
    return Pass(number, drawn, figures, regret, time.perf_counter() - started)


def batches_per_pass(images: int, batch_size: int) -> int:
    """Whole batches; a last, smaller one is left to another pass's order."""
    return max(1, images // batch_size)


def _epochs(draws: Draws) -> dict[str, int]:
    return {arm.name: arm.epochs for arm in draws.history.arms}


def _regret(drawn: Mapping[str, int], rewards: Mapping[str, float]) -> float:
    names = list(rewards)
    lost = max(rewards.values()) - np.array([rewards[name] for name in names])
    counts = np.array([drawn[name] for name in names])
    return float(lost @ counts / max(1, counts.sum()))
