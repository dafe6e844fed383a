"""What all pictures need: the images that were asked for, and what to call the model."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.subject import SPLITS
from vaesearch.seeding import torch_generator
from vaesearch.trained import Trained


def device_of(trained: Trained) -> torch.device:
    """Where the model is."""
    return next(trained.model.parameters()).device


def noise(trained: Trained, seed: int, *path: str) -> torch.Generator:
    """A stream of noise on the model's device."""
    return torch_generator(seed, "gallery", *path, device=device_of(trained))


def caption(trained: Trained, text: str) -> str:
    """What stands above a picture."""
    return f"{trained.arm.name}, epoch {trained.epoch}: {text}"


def pick(data: ImageData, split: str, indices: Sequence[int]) -> np.ndarray:
    """The images of a split with the numbers ``indices``, uint8 ``[N, C, H, W]``.

    Args:
        data: to pick from.
        split: ``test``, ``valid`` or ``train``.
        indices: counted from 0.

    Raises:
        InputError: an unknown split, or one that has no image of that number.
    """
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    images = getattr(data, split)
    for index in indices:
        if not 0 <= index < len(images):
            raise InputError(
                f"there is no {split} image {index}: {data.name} has {len(images)}, "
                f"0 to {len(images) - 1}."
            )
    return np.asarray(images)[list(indices)]


def on_device(trained: Trained, images: np.ndarray) -> Tensor:
    """A copy of images on the model's device."""
    return torch.tensor(images, device=device_of(trained))


def labels_of(data: ImageData, split: str) -> np.ndarray | None:
    """The classes ``[N]`` of a split's images, where the data set has any."""
    return None if data.labels is None else np.asarray(getattr(data.labels, split))
