"""Small real data: MNIST's test images, 8,000 of them to train and 2,000 to test."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

BESIDE = Path(__file__).parents[1] / ".." / "shared" / "data"
TRAIN = 8000


def find_digits() -> Path | None:
    """``mnist.npz`` in the folder that VAESEARCH_TEST_DATA names, as for the slow tests."""
    path = Path(os.environ.get("VAESEARCH_TEST_DATA") or BESIDE) / "mnist.npz"
    return path if path.is_file() else None


def load_digits(path: Path, *, binary: bool = False) -> tuple[Tensor, Tensor]:
    """Images to train and to test on, uint8 ``[N, 1, 28, 28]``; ``binary``: 0 and 255 only."""
    with np.load(path) as archive:
        images = archive["x_test"]
    order = np.random.default_rng(0).permutation(len(images))
    shuffled = torch.tensor(images[order]).unsqueeze(1)
    if binary:
        shuffled = (shuffled > 127).to(torch.uint8) * 255
    return shuffled[:TRAIN], shuffled[TRAIN:]


def stand_in(count: int) -> Tensor:
    """As many pixels black as in MNIST and the others at random; uint8 ``[count, 1, 28, 28]``."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (count, 1, 28, 28), np.uint8)
    return torch.tensor(levels * (rng.random(levels.shape) < 0.19).astype(np.uint8))


def padded(images: Tensor, size: int) -> Tensor:
    """With a black border, ``size`` on each side."""
    margin = (size - images.shape[-1]) // 2
    return F.pad(images, [margin] * 4)
