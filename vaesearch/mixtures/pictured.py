"""How like validation images the pictures of a mixture are, as a Fréchet distance."""

from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.evaluation.chunks import usual_chunk, with_enough_memory
from vaesearch.evaluation.estimates import Estimate
from vaesearch.evaluation.extractors import make_extractor
from vaesearch.evaluation.extractors.core import extract
from vaesearch.evaluation.frechet import frechet_estimate
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.vae import VAE
from vaesearch.seeding import torch_generator
from vaesearch.threads import threads


class PictureScore:
    """Scores mixtures by their pictures, beside the same features of validation images.

    All mixtures are drawn from with the same noise, and no test image is looked at.

    Args:
        data: the images.
        extractor: of features, as ``--extractor`` names it.
        samples: pictures of each mixture.
        seed: of the draws.
        device: of the models.

    Raises:
        InputError: fewer pictures or images than their covariance needs, or the extractor cannot
            work here.
    """

    def __init__(
        self, data: ImageData, extractor: str, samples: int, seed: int, device: torch.device
    ) -> None:
        self._extractor = make_extractor(extractor, data)
        features = self._extractor.features
        for kind, count in (("--samples", samples), ("validation images", len(data.valid))):
            if count <= features:
                raise InputError(
                    f"--by fid: {count} {kind} leave the covariance of the {features} features of "
                    f"--extractor {extractor} singular: more than {features} are needed. "
                    "Choose by loglik or bic."
                )
        self._data, self._device = data, device
        self._samples, self._seed = samples, seed
        self._name = extractor

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the score follows from beside the mixture and the model."""
        return {
            "extractor": self._name,
            "extractor_digest": self._extractor.digest,
            "samples": self._samples,
            "images": len(self._data.valid),
        }

    @torch.no_grad()
    def fid(self, model: VAE, mixture: FullGaussianMixture) -> Estimate:
        """The distance of the mixture's pictures, the means of p(x|z), with its standard error."""
        generator = torch_generator(self._seed, "mixtures", "pictures", device=self._device)
        z = mixture.sample(self._samples, generator)
        with threads():
            features = self._features(len(z), partial(_decoded, model, z))
            found = frechet_estimate(features, self._reference).distance
        return Estimate(found.value, found.error, found.count, "squared distance", "lower")

    @cached_property
    def _reference(self) -> Tensor:
        images = torch.tensor(np.asarray(self._data.valid), device=self._device)
        return self._features(len(images), partial(_shown, images))

    def _features(self, count: int, pictures: Any) -> Tensor:
        chunk = usual_chunk(self._data.dims, self._device)
        work = partial(extract, self._extractor, count, pictures, _silent)
        return with_enough_memory(work, chunk)[0]


def _decoded(model: VAE, z: Tensor, start: int, stop: int) -> Tensor:
    return model.decode(z[start:stop]).mean


def _shown(images: Tensor, start: int, stop: int) -> Tensor:
    return images[start:stop].float().div_(255)


def _silent(done: int) -> None:
    """Nobody watches."""
