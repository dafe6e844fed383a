import numpy as np
import pytest

from vaesearch.data.archive import read_npz
from vaesearch.errors import DataError


def test_reads_both_parts_whatever_else_there_is(save_npz, images):
    train, test = images((4, 5, 5)), images((2, 5, 5))
    path = save_npz(x_train=train, x_test=test, y_train=np.arange(4), extra=np.zeros(3))
    for read, saved in zip(read_npz(path)[:2], (train, test), strict=True):
        np.testing.assert_array_equal(read, saved)


def test_test_images_may_be_missing(save_npz, images):
    assert read_npz(save_npz(x_train=images((4, 5, 5))))[1] is None


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_named(save_npz, images, kept):
    path = save_npz(x_train=images((40, 5, 5)))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refused(path, "damaged")


def test_flipped_bits_are_noticed(save_npz, images):
    path = save_npz(x_train=images((40, 5, 5)))
    content = bytearray(path.read_bytes())
    content[600] ^= 8
    path.write_bytes(content)
    refused(path, "damaged")


def test_other_content_is_named(save_npz, tmp_path, images):
    refused(save_npz(images=images((4, 5, 5))), "holds images; it needs x_train")
    refused(save_npz(), "holds nothing")
    refused(save_npz(x_train=np.array([{}])), "damaged or not.*allow_pickle")
    single = tmp_path / "single.npz"
    with single.open("wb") as file:
        np.save(file, images((4, 5, 5)))
    refused(single, "single array")
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    refused(text, "damaged or not")


def test_a_missing_file_is_named(tmp_path):
    refused(tmp_path / "none.npz", "No such file")


def refused(path, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") <= 1
