import numpy as np
import pytest
from matplotlib.image import imread

from vaesearch.bandits.core import Budget
from vaesearch.errors import StorageError
from vaesearch.report import figures
from vaesearch.report.figures import allocation, image_grid, learning_curves
from vaesearch.search.state import SearchState, fold

GAP, PAIR_GAP, TITLE = 6, 2, 24


def pixels(path):
    return np.round(imread(path) * 255).astype(np.uint8)


def drawn(path):
    """Share of the picture that is not white."""
    return (pixels(path)[..., :3] < 250).any(axis=-1).mean()


def test_learning_curves_are_drawn_at_readme_size(state, tmp_path):
    path = tmp_path / "plots" / "curves.png"
    learning_curves(state, path)
    assert pixels(path).shape[:2] == (630, 1200)
    assert drawn(path) > 0.02
    assert [p.name for p in path.parent.iterdir()] == ["curves.png"]


def test_a_bad_first_epoch_does_not_flatten_the_rest(state, tmp_path, monkeypatch):
    drawings = []
    monkeypatch.setattr(figures, "save", lambda figure, _: drawings.append(figure))
    learning_curves(state, tmp_path / "curves.png")
    low, high = drawings[0].axes[0].get_ylim()
    assert low < 2.9131
    assert 3.5 < high < 10


def test_allocation_grows_with_the_arms(state, events, tmp_path):
    path = tmp_path / "allocation.png"
    allocation(state, events, path)
    height, width = pixels(path).shape[:2]
    assert (width, height) == (1200, round((0.28 * 4 + 0.6 + 1.8 + 0.8) * 150))
    assert drawn(path) > 0.1


def test_a_search_without_epochs_can_be_drawn(events, tmp_path):
    for start in (events[:1], events[:5]):
        state = fold(start, Budget(epochs=6))
        learning_curves(state, tmp_path / "curves.png")
        allocation(state, start, tmp_path / "allocation.png")


def test_more_arms_than_colours_stay_apart(state):
    looks = figures._looks(SearchState(arms={str(i): state.arms["mlp"] for i in range(20)}))
    assert len(set(looks.values())) == 20


def test_an_unwritable_place_is_a_storage_error(state, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        learning_curves(state, tmp_path / "file" / "curves.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_cells_are_the_images(tmp_path, channels):
    images = np.random.default_rng(0).integers(0, 256, (3, channels, 4, 5), dtype=np.uint8)
    path = tmp_path / "grid.png"
    image_grid(images, path, columns=2, scale=2)
    grid = pixels(path).reshape(2 * 8 + 3 * GAP, 2 * 10 + 3 * GAP, channels)
    for index, image in enumerate(images):
        top, left = GAP + index // 2 * (8 + GAP), GAP + index % 2 * (10 + GAP)
        cell = grid[top : top + 8, left : left + 10]
        assert (cell == np.kron(image.transpose(1, 2, 0), np.ones((2, 2, 1)))).all()
    assert (grid[GAP + 8 + GAP :, GAP + 10 + GAP :] == 255).all()  # the place that is left free
    assert (grid[:GAP] == 255).all()


def test_pairs_stand_above_each_other(tmp_path):
    images = np.stack([np.full((1, 3, 3), value, np.uint8) for value in (10, 20, 30, 40)])
    path = tmp_path / "pairs.png"
    image_grid(images, path, columns=8, scale=1, pairs=True)
    grid = pixels(path)
    assert grid.shape == (3 + PAIR_GAP + 3 + 2 * GAP, 2 * 3 + 3 * GAP)
    first, second = GAP, GAP + 3 + GAP
    below = GAP + 3 + PAIR_GAP
    corners = [grid[y, x] for y in (GAP, below) for x in (first, second)]
    assert corners == [10, 30, 20, 40]


def test_a_title_stands_above_the_grid(tmp_path):
    path = tmp_path / "grid.png"
    image_grid(np.zeros((8, 1, 8, 8), np.uint8), path, columns=8, scale=4, title="samples")
    grid = pixels(path)
    assert grid.shape == (TITLE + 32 + 2 * GAP, 8 * (32 + GAP) + GAP)
    assert (grid[:TITLE] < 128).any()
