"""The picture of a space of latents: codes of images, prior, mixture, and how codes drift."""

import textwrap
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.patheffects import withStroke

from vaesearch.report.figures import COLOURS, INK, save, square_canvas

_MARKERS = "os^Dv"  # one more each time the colours are used up
_GREY, _FAINT = "#8C8C8C", "#B8B8B8"
BEFORE, AFTER = "#0072B2", "#D55E00"  # encodings of an image, and of its reconstruction
_FEW = 12  # arrows beside which there is room for the encodings' ellipses
_MOST_CLASSES = 20
_SIZE = 5.6  # inches
_HALO = withStroke(linewidth=3, foreground="white")


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Codes of images on a plane through the space of latents.

    Attributes:
        title: what it is.
        names: of the plane's two directions.
        axes: the directions, ``[2, D]``, orthonormal.
        latents: mean codes of the images, float32 ``[N, D]``.
        points: the same on the plane, ``[N, 2]``.
        labels: classes of the images, ``[N]``; None where there are none.
        weights: of the mixture fitted to codes of training images, ``[M]``.
        means: of its Gaussians on the plane, ``[M, 2]``.
        covariances: likewise, ``[M, 2, 2]``.
        prior_points: draws of the prior, ``[P, 2]``; None where training's prior is N(0, I).
        drifts: codes of the first K images, of their reconstructions, of theirs in turn and so
            on, on the plane, ``[T + 1, K, 2]``; None where they were not asked for.
        drift_covariances: of those encodings, ``[T + 1, K, 2, 2]``, where they are Gaussians.
        divergences: KL(z'||z) in nats of each encoding from the one before, ``[T, K]``, where
            the posterior has a density.
    """

    title: str
    names: tuple[str, str]
    axes: np.ndarray
    latents: np.ndarray
    points: np.ndarray
    labels: np.ndarray | None
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    prior_points: np.ndarray | None = None
    drifts: np.ndarray | None = None
    drift_covariances: np.ndarray | None = None
    divergences: np.ndarray | None = None


def draw_map(shown: LatentMap, path: Path) -> None:
    """Draw it, as a PNG at ``path``.

    Circles are the prior, one and two standard deviations; where the prior is no N(0, I), crosses
    are draws of it. Ellipses are the mixture's Gaussians at two standard deviations, the fainter
    the less they weigh. An arrow leads from the code of an image to that of its reconstruction.

    Raises:
        StorageError: the file cannot be written.
    """
    figure, axes = square_canvas(_SIZE)
    _prior(axes, shown.prior_points)
    _codes(axes, shown.points, shown.labels, faint=shown.drifts is not None)
    ellipses(axes, shown.means, shown.covariances, 2, INK, alpha=_weights(shown.weights))
    axes.plot([], [], color=INK, label=f"mixture of {len(shown.weights)} Gaussians, 2 s.d.")
    if shown.drifts is not None:
        arrows(axes, shown.drifts, shown.drift_covariances)
    axes.set_xlabel(shown.names[0], color=INK)
    axes.set_ylabel(shown.names[1], color=INK)
    axes.set_title(textwrap.fill(shown.title, 100), loc="left", fontsize=9, color=INK)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8, labelcolor=INK
    )
    save(figure, path)


def _prior(axes: Axes, draws: np.ndarray | None) -> None:
    if draws is None:
        covariances = np.eye(2)[None]
        for deviations in (1, 2):
            ellipses(axes, np.zeros((1, 2)), covariances, deviations, _GREY, line="--")
        axes.plot([], [], "--", color=_GREY, label="prior N(0, I), 1 and 2 s.d.")
        return
    axes.plot(
        *draws.T, "+", color=_FAINT, markersize=4, markeredgewidth=0.7, zorder=1,
        label=f"{len(draws)} draws of the prior",
    )  # fmt: skip


def _codes(axes: Axes, points: np.ndarray, labels: np.ndarray | None, *, faint: bool) -> None:
    style: dict[str, Any] = {"linestyle": "none", "markersize": 3, "markeredgewidth": 0}
    style["alpha"] = 0.35 if faint else 0.7
    classes = [] if labels is None else np.unique(labels).tolist()
    if not 1 < len(classes) <= _MOST_CLASSES:
        axes.plot(*points.T, marker="o", color="#56B4E9", label="code of an image", **style)
        return
    for place, name in enumerate(classes):
        mine = points[labels == name]
        colour = COLOURS[place % len(COLOURS)]
        marker = _MARKERS[place // len(COLOURS) % len(_MARKERS)]
        axes.plot(*mine.T, marker=marker, color=colour, label=f"class {name}", **style)
        axes.annotate(
            str(name), np.median(mine, axis=0), color=colour, fontsize=11, weight="bold",
            ha="center", va="center", zorder=6, path_effects=[_HALO],
        )  # fmt: skip


def _weights(weights: np.ndarray) -> np.ndarray:
    """Opacity, so that the heaviest is black and the lightest can still be seen."""
    opacity: np.ndarray = 0.25 + 0.6 * weights / weights.max()
    return opacity


def ellipses(
    axes: Axes,
    means: np.ndarray,
    covariances: np.ndarray,
    deviations: float,
    colour: str,
    *,
    line: str = "-",
    alpha: Any = None,
) -> None:
    """Outlines of Gaussians at so many standard deviations.

    Args:
        axes: to draw on.
        means: ``[M, 2]``.
        covariances: ``[M, 2, 2]``.
        deviations: how many.
        colour: of the lines.
        line: their style.
        alpha: their opacity, one or ``[M]``.
    """
    variances, directions = np.linalg.eigh(covariances)
    axis = 2 * deviations * np.sqrt(variances.clip(min=0))  # full lengths
    angle = np.degrees(np.arctan2(directions[:, 1, 1], directions[:, 0, 1]))
    outlines = EllipseCollection(
        axis[:, 1], axis[:, 0], angle, units="xy", offsets=means,
        offset_transform=axes.transData, facecolors="none", edgecolors=colour, linestyles=line,
        linewidths=1.0, alpha=alpha, zorder=3,
    )  # fmt: skip
    axes.add_collection(outlines)
    # A collection of ellipses does not say how far it reaches.
    reach = deviations * np.sqrt(np.diagonal(covariances, axis1=1, axis2=2).clip(min=0))
    axes.update_datalim(np.concatenate([means - reach, means + reach]))
    axes.autoscale_view()


def arrows(axes: Axes, codes: np.ndarray, covariances: np.ndarray | None = None) -> None:
    """Arrows along codes ``[T + 1, K, 2]``; with few of them the encodings' ellipses, too.

    Args:
        axes: to draw on.
        codes: of images, of their reconstructions, of theirs in turn and so on.
        covariances: of the encodings, ``[T + 1, K, 2, 2]``.
    """
    has_room = codes.shape[1] <= _FEW and covariances is not None
    if has_room and covariances is not None:
        ellipses(axes, codes[0], covariances[0], 1, BEFORE)
        for after, spread in zip(codes[1:], covariances[1:], strict=True):
            ellipses(axes, after, spread, 1, AFTER)
    for start, end in pairwise(codes):
        axes.quiver(
            *start.T, *(end - start).T, angles="xy", scale_units="xy", scale=1, color=INK,
            width=0.0025, headwidth=4.5, headlength=5, headaxislength=4.5, minlength=0, zorder=5,
        )  # fmt: skip
    spreads = ", 1 s.d." if has_room else ""
    last = "last reconstruction" if len(codes) > 2 else "reconstruction"
    for place, colour, name in ((codes[0], BEFORE, "image"), (codes[-1], AFTER, last)):
        axes.plot(
            *place.T, "o", color=colour, markersize=5 if has_room else 3, zorder=6,
            markeredgecolor="white", markeredgewidth=0.5, label=f"encoding of {name}{spreads}",
        )  # fmt: skip
