"""What an extractor of features is, and how one is made."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from vaesearch import catalogue
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.evaluation.extractors.own import OwnExtractor
from vaesearch.models.own import is_own


class Extractor(Protocol):
    """Turns pictures into vectors; it is made at once, and trained or loaded when first needed.

    Attributes:
        features: F, known before anything is trained or loaded.
        digest: SHA-256 in hexadecimal over all that the features depend on: figures are
            comparable only where it is the same.
    """

    features: int

    @property
    def digest(self) -> str:
        """As above."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What else to record beside figures: plain data, fit for JSON."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of pictures ``[B, C, H, W]`` in [0, 1], on their device."""
        ...


def make_extractor(spec: str, data: ImageData) -> Extractor:
    """The extractor that ``spec`` names, for pictures like those of ``data``.

    Raises:
        InputError: no such extractor, arguments that it does not take, or it cannot work here.
    """
    if is_own("extractors", spec):
        return OwnExtractor(spec, catalogue.build("extractors", spec), data)
    made: Extractor = catalogue.build("extractors", spec, data=data)
    return made


@torch.no_grad()
def extract(
    extractor: Extractor,
    count: int,
    pictures: Callable[[int, int], Tensor],
    progress: Callable[[int], None],
    chunk: int,
) -> Tensor:
    """Features ``[count, F]`` of pictures that are made ``chunk`` at a time.

    Args:
        extractor: of features.
        count: how many pictures.
        pictures: gives those from a number up to another one, ``[B, C, H, W]`` in [0, 1].
        progress: told how many are done.
        chunk: pictures at once; it changes no feature but for rounding.

    Raises:
        InputError: a feature is not finite.
    """
    parts = []
    for start in range(0, count, chunk):
        x = pictures(start, min(start + chunk, count)).float().clamp(0, 1)
        parts.append(extractor(x).float())
        progress(start + len(x))
    features = torch.cat(parts)
    if not features.isfinite().all():
        raise InputError("some features of the pictures are not finite: the model has diverged.")
    return features
