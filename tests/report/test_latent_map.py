from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaesearch.report import latent_map as module
from vaesearch.report.latent_map import LatentMap, draw_map, ellipses


def shown(count=60, arrows=4, **changes):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 2)).astype(np.float32)
    drifts = np.stack([points[:arrows], points[:arrows] + 0.3])
    return LatentMap(
        "a map", ("latent 0", "latent 1"), np.eye(2), points, points, np.arange(count) % 10,
        np.array([0.7, 0.3]), np.array([[0.0, 0.0], [9.0, 9.0]]),
        np.array([np.eye(2), [[4.0, 1.0], [1.0, 1.0]]]), None, drifts,
        np.tile(0.01 * np.eye(2), (2, arrows, 1, 1)), np.ones((1, arrows)), **changes,
    )  # fmt: skip


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """The axes that a map is drawn on."""
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))

    def draw(pictured):
        draw_map(pictured, tmp_path / "a.png")
        return figures[-1].axes[0]

    return draw


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_map_names_all_that_is_on_it(drawn):
    axes = drawn(shown())
    assert legend_of(axes) == [
        "prior N(0, I), 1 and 2 s.d.", *[f"class {n}" for n in range(10)],
        "mixture of 2 Gaussians, 2 s.d.", "encoding of image, 1 s.d.",
        "encoding of reconstruction, 1 s.d.",
    ]  # fmt: skip
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("latent 0", "latent 1")
    assert {text.get_text() for text in axes.texts} == {str(n) for n in range(10)}
    styles = {(line.get_color(), line.get_marker()) for line in axes.lines[1:11]}
    assert len(styles) == 10  # no two classes look the same


@pytest.mark.parametrize("labels", [None, np.zeros(60, int), np.arange(60)])
def test_codes_without_classes_worth_a_colour_have_one(drawn, labels):
    axes = drawn(replace(shown(), labels=labels, drifts=None))
    assert legend_of(axes)[1] == "code of an image"
    assert not axes.texts


def test_another_prior_is_shown_by_its_draws(drawn):
    axes = drawn(replace(shown(), prior_points=np.zeros((500, 2))))
    assert legend_of(axes)[0] == "500 draws of the prior"


def test_many_arrows_leave_no_room_for_ellipses(drawn):
    axes = drawn(shown(arrows=30))
    assert legend_of(axes)[-1] == "encoding of reconstruction"


def test_an_ellipse_is_a_gaussian_s_own_and_lies_in_the_picture(drawn):
    axes = Figure().add_subplot()
    turned = np.array([[2.5, 1.5], [1.5, 2.5]])  # variances 4 and 1 along the diagonals
    ellipses(axes, np.array([[5.0, 0.0]]), turned[None], 2, "black")
    (outline,) = axes.collections
    assert outline._widths * 2 == pytest.approx([2 * 2 * 2.0])
    assert outline._heights * 2 == pytest.approx([2 * 2 * 1.0])
    assert np.degrees(outline._angles) % 180 == pytest.approx([45])
    low, high = axes.get_xlim()
    assert low <= 5 - 2 * 2.5**0.5
    assert high >= 5 + 2 * 2.5**0.5
    whole = drawn(shown())
    assert whole.get_xlim()[1] > 9 + 2 * 2  # the far Gaussian of the mixture
