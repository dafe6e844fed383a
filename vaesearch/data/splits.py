"""Which images train, which validate and which test: the same ones in every search.

The order is drawn from a constant, never from the seed of a search, so that the figures of
searches with different seeds are measured on the same images.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vaesearch.seeding import numpy_generator

# Levels of images, or numbers of classes: the order depends on how many there are and on
# nothing else, so that labels that are divided in the same way stay with their images.
Kind = TypeVar("Kind", bound=np.generic)

SPLIT_SEED = 1312
MAX_VALID = 5000
MIN_HELD_OUT = 250  # fewer images make figures too noisy to rank candidates by


def hold_out(
    images: npt.NDArray[Kind], fraction: float
) -> tuple[npt.NDArray[Kind], npt.NDArray[Kind]]:
    """Divide images that come as one array into a training and a test part.

    Args:
        images: [N, ...].
        fraction: of the images that go to the test part, which gets at least one.
    """
    order = numpy_generator(SPLIT_SEED, "hold out").permutation(len(images))
    count = max(1, round(fraction * len(images)))
    return images[order[count:]], images[order[:count]]


def validation_count(count: int) -> int:
    """How many of ``count`` training images are set aside for validation.

    An eighth, at most 5000; at least 250, unless that is over a quarter of what there is.

    >>> [validation_count(n) for n in (100, 1437, 20_000, 60_000)]
    [25, 250, 2500, 5000]
    """
    return min(MAX_VALID, max(count // 8, min(MIN_HELD_OUT, count // 4)))


def split(
    train: npt.NDArray[Kind], test: npt.NDArray[Kind]
) -> tuple[npt.NDArray[Kind], npt.NDArray[Kind], npt.NDArray[Kind]]:
    """Set validation images aside and shuffle, so that the first n of a set are a fair sample.

    Args:
        train: [N, ...], from which the validation images are taken.
        test: [M, ...].

    Returns:
        Training, validation and test images.
    """
    order = numpy_generator(SPLIT_SEED, "train").permutation(len(train))
    count = validation_count(len(train))
    shuffled = numpy_generator(SPLIT_SEED, "test").permutation(len(test))
    return train[order[count:]], train[order[:count]], test[shuffled]


def held_out_limit(train_limit: int) -> int:
    """How many images to validate and to test on where only ``train_limit`` train."""
    return max(MIN_HELD_OUT, train_limit // 4)
