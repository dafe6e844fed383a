"""Which class each image is of, where its source says so.

No model is trained on classes; what needs them is the network whose features tell pictures apart
(:mod:`vaesearch.evaluation.extractors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaesearch.data.splits import hold_out, split

Array = npt.NDArray[Any]
Classes = npt.NDArray[np.int64]


class Raw(NamedTuple):
    """What a source holds, as it was read.

    Attributes:
        train: images in any layout that :func:`vaesearch.data.core.canonical` takes.
        test: the same, or None where all images are in one array.
        train_labels: of ``train``, of whatever shape and kind, or None.
        test_labels: of ``test``, or None.
    """

    train: Array
    test: Array | None = None
    train_labels: Array | None = None
    test_labels: Array | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """The class of each image.

    Attributes:
        train, valid, test: int64 [N], in the order of the images of these sets.
    """

    train: Classes
    valid: Classes
    test: Classes

    def first(self, train: int | None, held_out: int | None) -> "Labels":
        """Of the first images of each set: so many, or all where the number is None."""
        return Labels(self.train[:train], self.valid[:held_out], self.test[:held_out])


def arrange(raw: Raw, test_fraction: float) -> Labels | None:
    """Labels in the order that :mod:`vaesearch.data.splits` gives to as many images.

    Args:
        raw: as it was read.
        test_fraction: of the images that go to the test set where none are given.

    Returns:
        None where the source has no labels, or not one whole number for each image.
    """
    train = _classes(raw.train_labels, len(raw.train))
    if raw.test is None:
        held = None if train is None else hold_out(train, test_fraction)
        train, test = (None, None) if held is None else held
    else:
        test = _classes(raw.test_labels, len(raw.test))
    if train is None or test is None:
        return None
    return Labels(*split(train, test))


def _classes(labels: Array | None, count: int) -> Classes | None:
    """One number per image; Keras gives those of CIFAR-10 as a column."""
    if labels is None or labels.shape not in ((count,), (count, 1)):
        return None
    if not np.issubdtype(labels.dtype, np.integer):
        return None
    return labels.reshape(count).astype(np.int64)


def from_folders(paths: Sequence[Path], folder: Path) -> Classes | None:
    """The sub-folder of ``folder`` that each file is in, numbered in the order of their names.

    Returns:
        int64 [N], or None where a file is in no sub-folder, or all are in one.
    """
    places = [path.relative_to(folder).parts for path in paths]
    names = sorted({parts[0] for parts in places})
    if len(names) < 2 or any(len(parts) < 2 for parts in places):
        return None
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[parts[0]] for parts in places], np.int64)
