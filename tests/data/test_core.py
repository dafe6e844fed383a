import json
import subprocess
import sys

import numpy as np
import pytest

from vaesearch.data.core import ImageData, canonical, fingerprint
from vaesearch.errors import DataError


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 8, 6), (5, 1, 8, 6)),
        ((5, 8, 6, 1), (5, 1, 8, 6)),
        ((5, 8, 6, 3), (5, 3, 8, 6)),
        ((5, 1, 8, 6), (5, 1, 8, 6)),
        ((5, 3, 8, 6), (5, 3, 8, 6)),
    ],
)
def test_usual_layouts_become_channels_first(images, shape, expected):
    assert canonical(images(shape), source="x").shape == expected


def test_canonical_keeps_each_pixel_in_its_place(images):
    colour = images((2, 4, 5, 3))
    assert canonical(colour, source="x")[1, 2, 3, 4] == colour[1, 3, 4, 2]


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.ones((3, 4, 4), np.float32), r"float32; only uint8.*255 \* x"),
        (np.ones((3, 4, 4), bool), "dtype bool"),
        (np.ones((3, 4, 4), np.int64), "dtype int64"),
        (np.ones((3, 4, 4), np.uint8), "no level above 1.*binary"),
        (np.full((3, 16), 9, np.uint8), r"shape \[3, 16\]; allowed are \[N, H, W\]"),
        (np.full((3, 4, 4, 4), 9, np.uint8), r"shape \[3, 4, 4, 4\]"),
        (np.full((3, 1, 4, 4, 4), 9, np.uint8), "shape"),
        (np.uint8(9).reshape(()), r"shape \[\]"),
        (np.empty((0, 4, 4), np.uint8), "is empty"),
        (np.empty((3, 0, 4), np.uint8), "is empty"),
    ],
)
def test_other_arrays_are_refused_in_words(array, complaint):
    with pytest.raises(DataError, match=f"(?s)^my file.*{complaint}") as caught:
        canonical(array, source="my file")
    assert str(caught.value).count("\n") <= 1


def test_fingerprint_sees_levels_shapes_and_order(images):
    a, b = images((4, 1, 3, 3)), images((4, 1, 3, 3))
    changed = a.copy()
    changed[2, 0, 1, 1] ^= 1
    prints = [
        fingerprint(*arrays)
        for arrays in [(a, b), (b, a), (changed, b), (a.reshape(4, 1, 9, 1), b)]
    ]
    assert len(set(prints)) == 4
    assert fingerprint(a, b) == fingerprint(a.copy(), np.asfortranarray(b))


def test_description_is_plain_data(images):
    data = ImageData(
        "n", images((5, 3, 4, 4)), images((2, 3, 4, 4)), images((1, 3, 4, 4)), "8bit", "f"
    )
    assert (data.shape, data.dims) == ((3, 4, 4), 48)
    assert json.loads(json.dumps(data.describe())) == {
        "name": "n",
        "fingerprint": "f",
        "pixels": "8bit",
        "shape": [3, 4, 4],
        "counts": {"train": 5, "valid": 2, "test": 1},
    }


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, vaesearch.data; print({'torch', 'torchvision', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
