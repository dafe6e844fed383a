"""The picture of what a model is unsure of (section 5.4 of Lin et al. 2019)."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vaesearch.report.figures import INK, save

COLUMNS = 8
_COLOURS = "magma"
_GAP = 1 / 14  # between images, as a share of one
_WIDTH = 8.0  # inches


def uncertainty(shown: Mapping[str, np.ndarray], path: Path) -> None:
    """Draw predicted deviations beside actual errors, and those of samples, as a PNG at ``path``.

    Args:
        shown: with the deviations of :func:`vaesearch.evaluation.pictures`.
        path: of the PNG.

    Raises:
        StorageError: the file cannot be written.
    """
    originals, copies = (shown[name][:COLUMNS] for name in ("originals", "reconstructions"))
    expected = _over_channels(shown["reconstruction_deviations"][:COLUMNS])
    actual = _over_channels((originals / 255.0) - (copies / 255.0))
    samples = shown["samples"][:COLUMNS]
    unsure = _over_channels(shown["sample_deviations"][:COLUMNS])
    scale = _scale_of(expected, actual, unsure)
    rows = [
        ("test image", _as_shown(originals)),
        ("reconstruction", _as_shown(copies)),
        ("expected error", _coloured(expected, scale)),
        ("actual error", _coloured(actual, scale)),
        ("sample", _as_shown(samples)),
        ("expected error", _coloured(unsure, scale)),
    ]
    save(_drawn(rows, scale), path)


def expectations(
    originals: np.ndarray,
    reconstructions: np.ndarray,
    deviations: np.ndarray,
    path: Path,
    *,
    title: str,
) -> None:
    """Draw predicted deviations beside actual errors of any number of images, as a PNG.

    Args:
        originals: uint8 ``[N, C, H, W]``.
        reconstructions: likewise.
        deviations: that the model expects, ``[N, C, H, W]`` in units of [0, 1].
        path: of the PNG.
        title: written above.

    Raises:
        StorageError: the file cannot be written.
    """
    expected = _over_channels(deviations)
    actual = _over_channels((originals / 255.0) - (reconstructions / 255.0))
    scale = _scale_of(expected, actual)
    cells = {
        "image": _as_shown(originals),
        "reconstruction": _as_shown(reconstructions),
        "expected error": _coloured(expected, scale),
        "actual error": _coloured(actual, scale),
    }
    starts = range(0, len(originals), COLUMNS)
    rows = [
        (label, _padded(images[start : start + COLUMNS]))
        for start in starts
        for label, images in cells.items()
    ]
    figure = _drawn(rows, scale)
    figure.suptitle(textwrap.fill(title, 90), fontsize=9, color=INK, x=0.02, ha="left")
    save(figure, path)


def _scale_of(*maps: np.ndarray) -> Normalize:
    """One scale for all, which a few extreme pixels do not stretch."""
    return Normalize(0, max(*(float(np.quantile(part, 0.995)) for part in maps), 1e-3), clip=True)


def _padded(images: np.ndarray) -> np.ndarray:
    """White in place of the images that a line lacks."""
    white = np.full((COLUMNS - len(images), *images.shape[1:]), 255, np.uint8)
    return np.concatenate([images, white])


def _over_channels(maps: np.ndarray) -> np.ndarray:
    """Root mean square over the channels, ``[N, H, W]`` of ``[N, C, H, W]``."""
    root: np.ndarray = np.sqrt(np.square(maps).mean(axis=1))
    return root


def _as_shown(images: np.ndarray) -> np.ndarray:
    """uint8 ``[N, H, W, 3]`` of ``[N, C, H, W]``."""
    cells = images.transpose(0, 2, 3, 1)
    return cells.repeat(3, axis=-1) if cells.shape[-1] == 1 else cells


def _coloured(maps: np.ndarray, scale: Normalize) -> np.ndarray:
    colours: np.ndarray = colormaps[_COLOURS](scale(maps), bytes=True)
    return colours[..., :3]


def _drawn(rows: Sequence[tuple[str, np.ndarray]], scale: Normalize) -> Figure:
    count, height, breadth, _ = rows[0][1].shape
    row_height = 0.78 * _WIDTH / (max(count, COLUMNS) * (1 + _GAP)) * height / breadth
    figure = Figure(figsize=(_WIDTH, len(rows) * row_height * 1.1), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 1)
    for axis, (label, images) in zip(axes, rows, strict=True):
        axis.imshow(_strip(images), interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([height / 2], [label])
        axis.tick_params(length=0, colors=INK, labelsize=8)
        axis.spines[:].set_visible(False)
    bar = figure.colorbar(ScalarMappable(scale, _COLOURS), ax=list(axes), shrink=0.6, pad=0.02)
    # In two lines, so that it is no higher than the four rows of a few images.
    bar.set_label("standard deviation, or\nabsolute error (white is 1)", color=INK, fontsize=8)
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.outline.set_visible(False)
    return figure


def _strip(images: np.ndarray) -> np.ndarray:
    """``[H, W', 3]``: the images side by side, with white between them."""
    _, height, breadth, _ = images.shape
    gap = np.full((height, max(1, round(_GAP * breadth)), 3), 255, np.uint8)
    parts = [part for image in images for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=1)
