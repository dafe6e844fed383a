"""Independent random streams from one seed and a path of names.

All randomness of a search comes from here, so that a pull repeated in another process, or after a
crash, draws the same numbers. There is no global generator anywhere in the package.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive(seed: int, *path: str | int) -> int:
    """A 63-bit seed for the stream named by ``path``; different paths give unrelated streams."""
    text = "\x1f".join([str(seed), *map(str, path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *path: str | int) -> np.random.Generator:
    """A numpy generator for the stream named by ``path``."""
    return np.random.default_rng(derive(seed, *path))


def torch_generator(
    seed: int, *path: str | int, device: "torch.device | str" = "cpu"
) -> "torch.Generator":
    """A torch generator on ``device`` for the stream named by ``path``."""
    import torch

    return torch.Generator(device).manual_seed(derive(seed, *path))
