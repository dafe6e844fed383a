import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaesearch.data import load_images


@pytest.fixture(scope="session")
def real_data():
    """The folder with mnist.npz and cifar10.npz, beside the checkout by default."""
    beside = Path(__file__).parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("VAESEARCH_TEST_DATA") or beside)
    if not (folder / "mnist.npz").is_file():
        pytest.skip(f"no real images in {folder}; set VAESEARCH_TEST_DATA to a folder with them")
    return folder


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def images(rng):
    """Make random 8-bit images of a shape."""
    return partial(rng.integers, 0, 256, dtype=np.uint8)


@pytest.fixture
def save_npz(tmp_path):
    """Save arrays in a new .npz file of the test's own folder."""

    def save(name="set.npz", **arrays):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)
        return path

    return save


@pytest.fixture
def save_folder(tmp_path, images):
    """Save ``count`` random pictures in a new folder, or in its sub-folders ``classes``."""

    def save(count, shape=(9, 7), name="pictures", classes=("",), suffix=".png"):
        folder = tmp_path / name
        for index in range(count):
            path = folder / classes[index % len(classes)] / f"{index:03d}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images(shape)).save(path)
        return folder

    return save


@pytest.fixture
def load(tmp_path):
    """``load_images`` with a cache and a data folder of the test's own."""
    return partial(load_images, data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
