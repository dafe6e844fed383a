import os
import shutil
import zipfile

import numpy as np
import pytest

from vaesearch.data import loading
from vaesearch.data.splits import validation_count
from vaesearch.errors import DataError, InputError


@pytest.fixture
def npz(save_npz, images):
    return str(save_npz(x_train=images((400, 8, 8)), x_test=images((60, 8, 8))))


def parts(data):
    return data.train, data.valid, data.test


def equal(left, right):
    same = all(np.array_equal(a, b) for a, b in zip(parts(left), parts(right), strict=True))
    return same and left.fingerprint == right.fingerprint


def rows(array):
    return {row.tobytes() for row in array}


def test_digits_come_out_of_the_box(load):
    data = load("digits")
    assert data.name == "digits"
    assert data.shape == (1, 32, 32)
    assert [len(part) for part in parts(data)] == [1188, 250, 359]
    assert data.train.dtype == np.uint8
    assert data.train.max() == 255


def test_the_given_test_images_are_the_test_images(load, save_npz, images):
    train, test = images((400, 8, 8)), images((60, 8, 8))
    data = load(str(save_npz(x_train=train, x_test=test)), image_size=8)
    assert rows(data.test) == rows(test)
    assert rows(data.train) | rows(data.valid) == rows(train)
    assert not rows(data.train) & rows(data.valid)
    assert len(data.valid) == validation_count(400)


def test_a_tenth_is_held_out_where_no_test_images_are_given(load, save_npz, images):
    train = images((200, 8, 8))
    data = load(str(save_npz(x_train=train)), image_size=8)
    assert len(data.test) == 20
    assert set.union(*map(rows, parts(data))) == rows(train)
    assert sum(map(len, parts(data))) == 200


@pytest.mark.parametrize("shape", [(8, 8), (12, 8, 1), (8, 14, 3), (3, 10, 10), (16, 16)])
@pytest.mark.parametrize("size", [4, 16])
def test_every_layout_becomes_square_images(load, save_npz, images, shape, size):
    path = save_npz(x_train=images((60, *shape)), x_test=images((6, *shape)))
    data = load(str(path), image_size=size)
    assert data.shape == (3 if 3 in shape else 1, size, size)
    assert data.train.dtype == np.uint8


def test_two_loads_are_equal_with_and_without_a_cache(load, npz, tmp_path):
    first = load(npz)
    assert equal(load(npz), first)
    assert equal(load(npz, cache_dir=tmp_path / "other"), first)
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    uncached = load(npz, cache_dir=blocked)
    assert equal(uncached, first)
    assert not any(part.flags.writeable for part in (*parts(first), *parts(uncached)))


def test_the_second_load_reads_no_source(load, npz, monkeypatch):
    first = load(npz)
    monkeypatch.setattr(loading, "_prepare", lambda *_: pytest.fail("the cache was not used"))
    assert equal(load(npz), first)
    load(npz, pixels="binary", train_limit=30)


def test_a_changed_file_is_read_again(load, npz, save_npz, images):
    first = load(npz)
    stamp = os.stat(npz)
    save_npz(x_train=images((400, 8, 8)), x_test=images((60, 8, 8)))
    os.utime(npz, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert load(npz).fingerprint != first.fingerprint


def test_train_limit_takes_the_first_of_each_set(load, save_npz, images):
    path = str(save_npz(x_train=images((2400, 4, 4)), x_test=images((300, 4, 4))))
    whole, few = load(path, image_size=4), load(path, image_size=4, train_limit=100)
    assert [len(part) for part in parts(whole)] == [2100, 300, 300]
    assert [len(part) for part in parts(few)] == [100, 250, 250]
    for part, start in zip(parts(whole), parts(few), strict=True):
        np.testing.assert_array_equal(part[: len(start)], start)
    assert equal(load(path, image_size=4, train_limit=10**9), whole)


def test_binary_pixels_are_thresholded_after_scaling(load, npz):
    grey, binary = load(npz), load(npz, pixels="binary")
    for levels, bits in zip(parts(grey), parts(binary), strict=True):
        np.testing.assert_array_equal(bits, np.where(levels >= 128, 255, 0))
        assert bits.dtype == np.uint8
    assert binary.pixels == "binary"


def test_fingerprints_tell_options_and_contents_apart(load, npz, save_npz, images):
    other = str(save_npz("other.npz", x_train=images((400, 8, 8)), x_test=images((60, 8, 8))))
    prints = {
        load(npz).fingerprint,
        load(npz, image_size=8).fingerprint,
        load(npz, pixels="binary").fingerprint,
        load(npz, train_limit=30).fingerprint,
        load(other).fingerprint,
    }
    assert len(prints) == 5
    assert all(len(p) == 64 and int(p, 16) for p in prints)


def test_fingerprints_depend_on_images_not_on_places(load, tmp_path, npz):
    moved = tmp_path / "moved.npz"
    shutil.copy(npz, moved)
    assert load(str(moved)).fingerprint == load(npz).fingerprint


def test_the_splits_never_change(load, save_npz):
    # Figures of different versions compare only as long as this fingerprint stays as it is.
    ramp = (np.arange(100 * 16) // 7).astype(np.uint8).reshape(100, 4, 4)
    data = load(str(save_npz(x_train=ramp, x_test=ramp[:10])), image_size=4)
    assert data.fingerprint.startswith("0e958422ac207c6941f94f6c")


def test_folders_of_images_are_loaded(load, save_folder):
    data = load(str(save_folder(60, classes=("a", "b"))), image_size=6)
    assert data.name == "pictures"
    assert data.shape == (1, 6, 6)
    assert [len(part) for part in parts(data)] == [41, 13, 6]


def test_a_changed_folder_is_read_again(load, save_folder):
    folder = save_folder(60)
    first = load(str(folder), image_size=6)
    (folder / "000.png").unlink()
    assert len(load(str(folder), image_size=6).train) < len(first.train)


def test_channels_of_both_parts_must_agree(load, save_npz, images):
    path = save_npz(x_train=images((60, 8, 8, 3)), x_test=images((6, 8, 8)))
    with pytest.raises(DataError, match="x_train has 3 channels but x_test 1"):
        load(str(path))


@pytest.mark.parametrize("key", ["x_train", "x_test"])
def test_unusable_arrays_are_named(load, save_npz, images, key):
    arrays = {"x_train": images((60, 8, 8)), "x_test": images((6, 8, 8))}
    path = save_npz(**(arrays | {key: np.ones((60, 8, 8))}))
    with pytest.raises(DataError, match=rf"set\.npz: {key} has the dtype float64"):
        load(str(path))


def test_members_that_are_no_arrays_are_refused(load, tmp_path):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train", b"no array")
    with pytest.raises(DataError, match=r"set\.npz: x_train has the dtype \|S8"):
        load(str(path))


@pytest.mark.parametrize("count", [1, 2, 19, 28])
def test_too_few_images_are_refused(load, save_npz, save_folder, images, count):
    expected = f"has {count} images, which leaves .* at least 20 are needed"
    with pytest.raises(DataError, match=expected):
        load(str(save_npz(x_train=images((count, 8, 8)))))
    with pytest.raises(DataError, match=expected):
        load(str(save_folder(count)))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"image_size": 3}, "--image-size must be 4 to 1024, not 3"),
        ({"image_size": 1025}, "--image-size"),
        ({"pixels": "binari"}, "did you mean 'binary'"),
        ({"train_limit": 0}, "--train-limit must be above 0, not 0"),
    ],
)
def test_options_out_of_range_are_refused(load, options, complaint):
    with pytest.raises(InputError, match=complaint):
        load("digits", **options)
