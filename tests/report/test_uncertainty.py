import numpy as np
import pytest
from matplotlib.image import imread

from vaesearch.errors import StorageError
from vaesearch.report import uncertainty as module
from vaesearch.report.uncertainty import uncertainty


def shown(count=10, channels=1, deviation=0.1):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, channels, 12, 12), dtype=np.uint8)
    maps = np.full(images.shape, deviation, np.float32)
    return {
        "originals": images, "reconstructions": images, "samples": images,
        "reconstruction_deviations": maps, "sample_deviations": 2 * maps,
    }  # fmt: skip


def spied(monkeypatch):
    """Label and cells of each row, and the end of the scale."""
    drawn = []
    original = module._drawn

    def spy(rows, scale):
        drawn.append((rows, scale.vmax))
        return original(rows, scale)

    monkeypatch.setattr(module, "_drawn", spy)
    return drawn


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 3, 10])
def test_six_rows_of_at_most_eight(tmp_path, monkeypatch, count, channels):
    drawn = spied(monkeypatch)
    path = tmp_path / "deep" / "uncertainty.png"
    uncertainty(shown(count, channels), path)
    ((found, _),) = drawn
    assert [label for label, _ in found] == [
        "test image", "reconstruction", "expected error", "actual error", "sample",
        "expected error",
    ]  # fmt: skip
    assert all(cells.shape == (min(count, 8), 12, 12, 3) for _, cells in found)
    picture = imread(path)
    assert picture.shape[1] == 1200
    assert (picture[..., :3] < 0.98).any(axis=-1).mean() > 0.1


def test_errors_and_deviations_share_one_scale(tmp_path, monkeypatch):
    drawn = spied(monkeypatch)
    pictures = shown()
    pictures["reconstructions"] = pictures["originals"].copy()
    pictures["reconstructions"][:, :, 0] = 255 - pictures["originals"][:, :, 0]
    uncertainty(pictures, tmp_path / "a.png")
    ((found, top),) = drawn
    expected, actual, of_samples = (found[row][1] for row in (2, 3, 5))
    assert top > 0.85  # an error of nearly 1 in the first line of pixels, and none elsewhere
    assert actual[:, 0].sum() > 3 * actual[:, 1].sum()
    assert len(np.unique(expected.reshape(-1, 3), axis=0)) == 1
    assert of_samples.sum() > expected.sum()  # brighter, the larger


def test_no_deviation_at_all_can_be_drawn(tmp_path):
    uncertainty(shown(deviation=0.0), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_an_unwritable_place_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        uncertainty(shown(), tmp_path / "file" / "a.png")
