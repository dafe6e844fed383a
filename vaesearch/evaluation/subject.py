"""What a metric is measured on: a trained model, the images, and where the noise comes from."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from vaesearch.compatibility import has_mass
from vaesearch.data import ImageData
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.aggregate import fit_aggregate
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.vae import VAE
from vaesearch.seeding import torch_generator

SPLITS = ("test", "valid", "train")
BATCH = 250  # images at once, where a metric needs each of them once

Progress = Callable[[float], None]  # told the share that is done, from 0 to 1


def silent(share: float) -> None:
    """The progress that nobody watches."""


def part_of(progress: Progress, start: float, part: float) -> Progress:
    """Told the share of a part that is done, it tells that of the whole."""
    return lambda share: progress(min(1.0, start + share * part))


class Subject:
    """A model under measurement.

    All noise follows from ``seed`` and the names that a metric gives to :meth:`generator`, so
    measuring twice gives the same figures, in any order of metrics.

    Args:
        model: put into evaluation mode and float32; moved nowhere.
        data: that it was trained on.
        split: of the images that it is measured on: ``test``, ``valid`` or ``train``.
        limit: measure on the first so many images only; all by default.
        seed: of everything random.
        extractor: of features of pictures, as ``--extractor`` names it.
        chunk: pictures that are decoded at once; halved by itself where memory is short. It
            changes no figure.

    Raises:
        InputError: an unknown split, a limit below 1, or images of another shape than the model's.
    """

    def __init__(
        self,
        model: VAE,
        data: ImageData,
        *,
        split: str = "test",
        limit: int | None = None,
        seed: int = 0,
        extractor: str = "labels",
        chunk: int | None = None,
    ) -> None:
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        if limit is not None and limit < 1:
            raise InputError(f"--images must be above 0, not {limit}.")
        if data.shape != tuple(model.shape):
            raise InputError(
                f"the model is for images of {list(model.shape)}, and {data.name} has "
                f"{list(data.shape)}: give the images that it was trained on."
            )
        self.model = model.eval().requires_grad_(False)
        # Weights of samples and Hamiltonian energies would show the rounding of bfloat16.
        model.settings = replace(model.settings, precision="float32")
        self.data = data
        self.split = split
        self.limit = limit
        self.seed = seed
        self.extractor = extractor
        self.chunk = chunk
        self._mixtures: dict[int | None, FullGaussianMixture] = {}

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def has_mass(self) -> bool:
        """Whether the likelihood has a probability of the pixels' levels, and so bits/dim."""
        return has_mass(self.model.settings)

    @cached_property
    def images(self) -> Tensor:
        """The images measured on, uint8 ``[N, C, H, W]`` on the model's device."""
        return self._resident(getattr(self.data, self.split)[: self.limit])

    @cached_property
    def train(self) -> Tensor:
        """All training images, uint8 ``[N, C, H, W]`` on the model's device."""
        return self._resident(self.data.train)

    def batches(self, size: int = BATCH) -> Iterator[Tensor]:
        """The images in [0, 1], ``[size, C, H, W]`` at a time and in order."""
        for start in range(0, len(self.images), size):
            yield self.images[start : start + size].float().div_(255)

    def generator(self, *path: str | int) -> torch.Generator:
        """A stream of noise of its own, on the model's device."""
        return torch_generator(self.seed, "evaluation", *path, device=self.device)

    def mixture(self, components: int | None = None) -> FullGaussianMixture:
        """The aggregate posterior of the training images as a mixture of Gaussians.

        Args:
            components: as :func:`fit_aggregate` takes them; fitted once for each number.
        """
        if components not in self._mixtures:
            self._mixtures[components] = fit_aggregate(
                self.model, self.train, self.seed, components
            )
        return self._mixtures[components]

    def _resident(self, images: np.ndarray) -> Tensor:
        # A copy: the array may be a read-only view of a file.
        return torch.tensor(np.asarray(images), device=self.device)
