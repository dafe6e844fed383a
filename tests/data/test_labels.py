"""Labels stay with their images: each image here shows its own label."""

import numpy as np
import pytest
from PIL import Image

from vaesearch.data import cache, loading
from vaesearch.data.labels import Raw, arrange

SETS = ("train", "valid", "test")


def showing(labels):
    """Images of one level each, which is 2 + 3 times the label."""
    return np.broadcast_to((2 + 3 * labels).astype(np.uint8)[:, None, None], (len(labels), 8, 8))


def shown(images):
    return (np.asarray(images[:, 0, 0, 0], int) - 2) // 3


def assert_aligned(data):
    for part in SETS:
        labels = getattr(data.labels, part)
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels, shown(getattr(data, part)))


@pytest.fixture
def labels(rng):
    return {"train": rng.integers(0, 80, 900), "test": rng.integers(0, 80, 300)}


@pytest.fixture
def npz(save_npz, labels):
    arrays = {f"x_{part}": showing(values) for part, values in labels.items()}
    return str(save_npz(**arrays, y_train=labels["train"], y_test=labels["test"].astype(np.uint8)))


def test_labels_follow_the_splits_and_come_out_of_the_cache(load, npz, monkeypatch):
    assert_aligned(load(npz, image_size=8))
    monkeypatch.setattr(loading, "_prepare", lambda *_: pytest.fail("the cache was not used"))
    assert_aligned(load(npz, image_size=8))


@pytest.mark.parametrize("limit", [30, 400])
def test_labels_follow_the_limit(load, npz, limit):
    data = load(npz, image_size=8, train_limit=limit)
    assert len(data.labels.train) == limit
    assert_aligned(data)


def test_labels_follow_the_tenth_that_is_held_out(load, save_npz, labels):
    path = save_npz(x_train=showing(labels["train"]), y_train=labels["train"][:, None])
    data = load(str(path), image_size=8)
    assert len(data.labels.test) == 90
    assert_aligned(data)


def test_labels_change_no_fingerprint(load, npz, save_npz, labels):
    bare = save_npz("bare.npz", **{f"x_{part}": showing(v) for part, v in labels.items()})
    assert load(str(bare)).fingerprint == load(npz).fingerprint
    assert load(str(bare)).labels is None


@pytest.mark.parametrize(
    "unusable",
    [
        np.zeros(899, int),
        np.zeros((900, 2), int),
        np.zeros(900),
        np.array([None] * 900),
        np.array(["a"] * 900),
    ],
)
def test_images_are_of_use_without_usable_labels(load, save_npz, labels, unusable):
    path = save_npz(x_train=showing(labels["train"]), y_train=unusable)
    assert load(str(path)).labels is None


def test_labels_of_one_part_are_none():
    raw = Raw(np.zeros((40, 4, 4)), np.zeros((9, 4, 4)), np.zeros(40, int))
    assert arrange(raw, 0.1) is None


def test_a_cache_with_labels_cut_short_is_rebuilt(load, npz, tmp_path):
    load(npz, image_size=8)
    (entry,) = (tmp_path / "cache").iterdir()
    np.save(entry / "valid_labels.npy", np.zeros(3, int))
    assert_aligned(load(npz, image_size=8))


def test_another_format_is_built_anew(load, npz, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "FORMAT", 1)
    load(npz)
    monkeypatch.undo()
    load(npz)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_digits_are_labelled(load):
    from sklearn import datasets

    digits = datasets.load_digits()
    known = {
        np.rint(image * (255 / 16)).astype(np.uint8).tobytes(): label
        for image, label in zip(digits.images, digits.target, strict=True)
    }
    data = load("digits", image_size=8)
    for part in SETS:
        labels = [known[image.tobytes()] for image in getattr(data, part)]
        assert getattr(data.labels, part).tolist() == labels


def save_classes(folder, labels):
    for index, label in enumerate(labels):
        path = folder / f"class {label:02d}" / "deep" / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(showing(labels[index : index + 1])[0]).save(path)


def test_sub_folders_are_classes(load, tmp_path):
    save_classes(tmp_path / "classes", np.arange(60) % 4)
    assert_aligned(load(str(tmp_path / "classes"), image_size=8))


@pytest.mark.parametrize("classes", [("",), ("only",), ("", "a")])
def test_other_folders_have_no_classes(load, save_folder, classes):
    assert load(str(save_folder(40, classes=classes)), image_size=8).labels is None


@pytest.mark.parametrize("columns", [None, 8])
def test_downloads_are_labelled(load, labels, monkeypatch, columns):
    from torchvision import datasets

    class Stand:
        def __init__(self, _root, train, download):
            self.targets = labels["train" if train else "test"]
            self.data = showing(self.targets)
            if columns:  # QMNIST: who wrote a digit, and where, beside which one it is
                others = np.full((len(self.targets), columns - 1), 77)
                self.targets = np.column_stack([self.targets, others])

    monkeypatch.setattr(datasets, "QMNIST" if columns else "MNIST", Stand)
    assert_aligned(load("qmnist" if columns else "mnist", image_size=8))
