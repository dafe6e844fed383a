import numpy as np
import pytest
from PIL import Image

from vaesearch.data.folder import list_images, read_images
from vaesearch.errors import DataError


def test_lists_any_depth_in_order_without_hidden_or_other_files(save_folder):
    folder = save_folder(6, classes=("b", "a", "a/deep"))
    (folder / "notes.txt").write_text("no image")
    for hidden in ("._000.png", ".thumbnails/000.png"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"left by another program")
    names = [p.relative_to(folder).as_posix() for p in list_images(folder)]
    assert names == ["a/001.png", "a/004.png", "a/deep/002.png", "a/deep/005.png", "b/000.png",
                     "b/003.png"]  # fmt: skip


def test_hidden_parents_do_not_matter(save_folder):
    assert len(list_images(save_folder(3, name=".hidden/pictures"))) == 3


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no images in .*\.png, \.jpg"):
        list_images(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".bmp", ".webp", ".PNG"])
def test_every_kind_of_file_is_read(save_folder, suffix):
    paths = list_images(save_folder(2, shape=(8, 8, 3), suffix=suffix))
    assert read_images(paths, 8).shape == (2, 3, 8, 8)


def test_grey_stays_grey_unless_one_image_is_in_colour(save_folder):
    folder = save_folder(4)
    assert read_images(list_images(folder), 5).shape == (4, 1, 5, 5)
    Image.new("RGB", (9, 9), "red").save(folder / "z.png")
    pictures = read_images(list_images(folder), 5)
    assert pictures.shape == (5, 3, 5, 5)
    assert pictures[4, :, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_modes_of_pillow_are_converted(tmp_path, mode):
    suffix = ".jpg" if mode == "CMYK" else ".png"
    path = tmp_path / f"white{suffix}"
    Image.new("RGB", (6, 6), "white").convert(mode).save(path)
    assert np.all(read_images([path], 4) >= 254)


def test_transparent_palettes_are_read(tmp_path):
    path = tmp_path / "palette.png"
    image = Image.new("P", (6, 6), 1)
    image.putpalette([0, 0, 0, 9, 8, 7])
    image.save(path, transparency=b"\x00\xff")
    assert read_images([path], 4)[0, :, 0, 0].tolist() == [9, 8, 7]


def test_the_middle_square_is_taken_and_phones_are_turned(tmp_path):
    wide = np.zeros((4, 12), np.uint8)
    wide[:, 4:8] = 200
    wide[0, 4:8] = 100
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(wide).save(tmp_path / "plain.png")
    Image.fromarray(wide).save(tmp_path / "turned.png", exif=exif)
    plain, turned = read_images([tmp_path / "plain.png", tmp_path / "turned.png"], 4)
    np.testing.assert_array_equal(plain[0], wide[:, 4:8])
    np.testing.assert_array_equal(turned[0], wide[::-1, 4:8])


def test_an_unreadable_file_is_named(save_folder):
    folder = save_folder(3, shape=(20, 20))
    damaged = folder / "001.png"
    for content in (b"", b"text", damaged.read_bytes()[:90]):
        damaged.write_bytes(content)
        with pytest.raises(DataError, match=r"cannot read the image .*001\.png"):
            read_images(list_images(folder), 8)


def test_deep_pixels_are_refused(tmp_path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((6, 6), 4000, np.uint16)).save(path)
    with pytest.raises(DataError, match=r"deep\.png has over 8 bits per channel"):
        read_images([path], 4)
