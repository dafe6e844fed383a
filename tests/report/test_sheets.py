import numpy as np
import pytest
from PIL import Image

from vaesearch.errors import StorageError
from vaesearch.report.sheets import sheet


def picture_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def shown(path, colour):
    """How many pixels have a colour."""
    return int((picture_of(path) == colour).all(axis=-1).sum())


def tiles_of(colours, side=6, stack=1):
    tiles = np.empty((len(colours), stack, 3, side, side), np.uint8)
    tiles[:] = np.array(colours)[:, None, :, None, None]
    return tiles


@pytest.mark.parametrize(("side", "scale"), [(6, 10), (28, 2), (64, 1), (100, 1)])
def test_every_pixel_becomes_a_square(tmp_path, side, scale):
    sheet(tiles_of([(200, 0, 0)] * 5, side), tmp_path / "a.png", title="five")
    assert shown(tmp_path / "a.png", (200, 0, 0)) == 5 * (side * scale) ** 2


@pytest.mark.parametrize("columns", [None, 1, 4, 50])
def test_tiles_stand_in_order_line_by_line(tmp_path, columns):
    colours = [(10 * i + 5, 200, 0) for i in range(7)]
    sheet(tiles_of(colours), tmp_path / "a.png", title="seven", columns=columns)
    picture = picture_of(tmp_path / "a.png")
    places = []
    for colour in colours:
        rows, across = np.nonzero((picture == colour).all(axis=-1))
        places.append((int(rows.min()), int(across.min())))
    assert places == sorted(places)
    assert len({row for row, _ in places}) == -(-7 // min(columns or 3, 7))


def test_nothing_is_written_outside_the_picture_or_over_a_tile(tmp_path):
    words = "a title of many words that needs more room than three small pictures have " * 3
    for title in ("short", words):
        sheet(
            tiles_of([(200, 0, 0)] * 6, stack=2), tmp_path / "a.png", title=title, columns=3,
            heads=["one", "two", "three"], rows=["above", "z31  0.25"], captions=["0.1234"] * 6,
        )  # fmt: skip
        picture = picture_of(tmp_path / "a.png")
        edge = np.concatenate([picture[:3].ravel(), picture[-3:].ravel(), picture[:, -3:].ravel()])
        assert (edge == 255).all()
        assert shown(tmp_path / "a.png", (200, 0, 0)) == 6 * 2 * 60 * 60


def test_an_unwritable_place_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        sheet(tiles_of([(0, 0, 0)]), tmp_path / "file" / "a.png", title="none")
