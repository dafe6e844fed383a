import numpy as np
import pytest

from vaesearch.data import resizing
from vaesearch.data.resizing import crop_square, resize


def test_crop_takes_the_middle():
    wide = np.arange(6, dtype=np.uint8).reshape(1, 1, 1, 6).repeat(4, axis=2)
    np.testing.assert_array_equal(crop_square(wide)[0, 0, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(crop_square(wide.swapaxes(2, 3))[0, 0, :, 0], [1, 2, 3, 4])


def test_same_size_keeps_every_level(images):
    same = images((3, 1, 8, 8))
    np.testing.assert_array_equal(resize(same, 8), same)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_flat_images_stay_flat(level):
    flat = np.full((2, 3, 7, 7), level, np.uint8)
    for size in (4, 16):
        np.testing.assert_array_equal(resize(flat, size), np.full((2, 3, size, size), level))


def test_shrinking_averages_instead_of_dropping_pixels():
    stripes = np.zeros((1, 1, 32, 32), np.uint8)
    stripes[..., ::2] = 255
    inner = resize(stripes, 8)[0, 0, 2:-2, 2:-2]
    assert np.all(np.abs(inner.astype(int) - 128) <= 1)


def test_doubling_is_bilinear():
    step = np.zeros((1, 1, 4, 4), np.uint8)
    step[..., 2:] = 200
    np.testing.assert_array_equal(resize(step, 8)[0, 0, 0], [0, 0, 0, 50, 150, 200, 200, 200])


def test_chunks_make_no_difference(images, monkeypatch):
    pictures = images((7, 3, 6, 6))
    whole = resize(pictures, 10)
    monkeypatch.setattr(resizing, "CHUNK_VALUES", 2 * 3 * 6 * 6)
    np.testing.assert_array_equal(resize(pictures, 10), whole)
