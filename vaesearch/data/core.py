"""What a data set is once it is loaded, and the one layout that all arrays are brought to."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesearch.data.labels import Labels
from vaesearch.errors import DataError

Pixels = npt.NDArray[np.uint8]
LAYOUTS = "[N, H, W], [N, H, W, 1 or 3] and [N, 1 or 3, H, W]"


@dataclass(frozen=True, eq=False)
class ImageData:
    """Square images in three disjoint sets; the arrays are read-only and may be memory-mapped.

    Attributes:
        name: of the data set, for people.
        train, valid, test: uint8 [N, C, H, W], levels 0 to 255.
        pixels: ``8bit``, or ``binary`` where only the levels 0 and 255 occur.
        fingerprint: SHA-256 in hexadecimal; equal only where all three sets are equal.
        labels: of the images, which the fingerprint says nothing of; None where the source has
            none.
    """

    name: str
    train: Pixels
    valid: Pixels
    test: Pixels
    pixels: str
    fingerprint: str
    labels: Labels | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        _, channels, height, width = self.train.shape
        return channels, height, width

    @property
    def dims(self) -> int:
        """How many values one image has: C * H * W."""
        return math.prod(self.shape)

    def describe(self) -> dict[str, Any]:
        """What to record beside results: plain data, fit for JSON."""
        counts = {"train": len(self.train), "valid": len(self.valid), "test": len(self.test)}
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "pixels": self.pixels,
            "shape": list(self.shape),
            "counts": counts,
        }


@dataclass(frozen=True, eq=False)
class Splits:
    """A whole data set, 8-bit and without any limit: what the cache keeps.

    Attributes:
        train, valid, test: uint8 [N, C, S, S], in an order that is fixed once and for all.
        fingerprint: SHA-256 over shapes and levels, in hexadecimal.
        labels: of the images, where the source has them.
    """

    train: Pixels
    valid: Pixels
    test: Pixels
    fingerprint: str
    labels: Labels | None = None


def fingerprint(*arrays: Pixels) -> str:
    """SHA-256, in hexadecimal, over the shapes and the levels of ``arrays`` in their order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def canonical(array: npt.NDArray[Any], *, source: str) -> Pixels:
    """View 8-bit images of any usual layout as uint8 [N, C, H, W].

    Args:
        array: uint8 in one of the layouts [N, H, W], [N, H, W, 1 or 3], [N, 1 or 3, H, W].
        source: what to call the array in an error.

    Raises:
        DataError: another layout or another kind of number, no images, or levels of 0 and 1 only.
    """
    _check_levels(array, source)
    if array.ndim == 3:
        return array[:, np.newaxis]
    if array.ndim == 4 and array.shape[-1] in (1, 3):
        return np.moveaxis(array, -1, 1)
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array
    raise DataError(f"{source} has the shape {list(array.shape)}; allowed are {LAYOUTS}.")


def _check_levels(array: npt.NDArray[Any], source: str) -> None:
    if array.dtype != np.uint8:
        raise DataError(
            f"{source} has the dtype {array.dtype}; only uint8 levels 0..255 are allowed. "
            "For floats from 0 to 1 save (255 * x).round().astype('uint8')."
        )
    if array.size == 0:
        raise DataError(f"{source} is empty: its shape is {list(array.shape)}.")
    # A set saved as 0 and 1 would pass for 8-bit images that are almost black.
    if array.max() <= 1:
        raise DataError(
            f"{source} holds no level above 1, where 0..255 are expected; "
            "for binary images save 255 * x."
        )
