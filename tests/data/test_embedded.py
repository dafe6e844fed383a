import numpy as np
from sklearn import datasets

from vaesearch.data.embedded import load_digits


def test_digits_are_spread_over_all_levels(tmp_path):
    train, test = load_digits(data_dir=tmp_path, image_size=32)[:2]
    assert (train.shape, test.shape) == ((1438, 8, 8), (359, 8, 8))
    assert train.dtype == test.dtype == np.uint8
    assert np.unique(train).tolist() == [round(level * 255 / 16) for level in range(17)]


def test_digits_are_all_there_once(tmp_path):
    together = np.concatenate(load_digits(data_dir=tmp_path, image_size=32)[:2]).reshape(-1, 64)
    original = np.rint(datasets.load_digits().data * 255 / 16)
    assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, original.tolist()))
