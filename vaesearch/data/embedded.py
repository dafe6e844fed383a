"""Data sets that come with an installed package and need no file."""

from pathlib import Path

import numpy as np

from vaesearch.data.labels import Raw
from vaesearch.data.splits import hold_out

MAX_LEVEL = 16  # of scikit-learn's digits
TEST_FRACTION = 0.2


def load_digits(*, data_dir: Path, image_size: int) -> Raw:
    """The digits of scikit-learn, their 17 levels spread over 0 to 255.

    Args:
        data_dir: not needed; all loaders of the catalogue take the same arguments.
        image_size: not needed.

    Returns:
        1438 training and 359 test images, uint8 [N, 8, 8], and which digits they are.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    levels = np.rint(digits.images * (255 / MAX_LEVEL)).astype(np.uint8)
    train, test = hold_out(levels, TEST_FRACTION)
    return Raw(train, test, *hold_out(digits.target, TEST_FRACTION))
