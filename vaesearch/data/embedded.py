"""Data sets that come with an installed package and need no file."""

from pathlib import Path

import numpy as np

from vaesearch.data.core import Pixels
from vaesearch.data.splits import hold_out

MAX_LEVEL = 16  # of scikit-learn's digits
TEST_FRACTION = 0.2


def load_digits(*, data_dir: Path, image_size: int) -> tuple[Pixels, Pixels]:
    """The digits of scikit-learn, their 17 levels spread over 0 to 255.

    Args:
        data_dir: not needed; all loaders of the catalogue take the same arguments.
        image_size: not needed.

    Returns:
        1438 training and 359 test images, uint8 [N, 8, 8].
    """
    from sklearn import datasets

    levels = datasets.load_digits().images
    return hold_out(np.rint(levels * (255 / MAX_LEVEL)).astype(np.uint8), TEST_FRACTION)
