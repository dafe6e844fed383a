"""The pictures of the page, small enough for a repository."""

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from shared import IMAGES

MOST_BYTES = 150_000
INK = "#333333"
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#BBBBBB"  # of Okabe & Ito's palette


@dataclass(frozen=True)
class Cloud:
    """Points ``[N, 2]`` and what to write above them."""

    title: str
    points: np.ndarray


Stack = tuple[str, Mapping[str, float]]


def save(figure: Figure, name: str, dpi: int = 110) -> None:
    """Write ``docs/images/reproduction/NAME.png`` in 256 colours."""
    written = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(written, dpi=dpi, format="png", facecolor="white")
    picture = Image.open(written).convert("RGB").quantize(256)
    path = IMAGES / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes, above {MOST_BYTES}")


def clouds(
    rows: Mapping[str, Sequence[Cloud]], extent: tuple[float, float, float, float]
) -> Figure:
    """A row for each target: densities of clouds of points ``[N, 2]``, with a title each.

    Args:
        rows: titles and points by the name of the row.
        extent: least and greatest z1, least and greatest z2.
    """
    columns = max(map(len, rows.values()))
    figure = Figure(figsize=(1.15 * columns, 1.35 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    left, right, low, high = extent
    for axes, (name, row) in zip(grid, rows.items(), strict=True):
        most = None
        for place, cloud in zip(axes, row, strict=True):
            heights, _, _ = np.histogram2d(
                *cloud.points.T, bins=90, range=[[left, right], [low, high]], density=True
            )
            # All of a row have the scale of its target, which comes first.
            most = most or np.quantile(heights, 0.998)
            place.imshow(heights.T, origin="lower", extent=extent, cmap="magma_r", vmax=most)
            place.set_title(cloud.title, fontsize=7, color=INK, pad=2)
            place.set_xticks([])
            place.set_yticks([])
        axes[0].set_ylabel(name, fontsize=8, color=INK)
    return figure


def stacks(panels: Mapping[str, Sequence[Stack]], colours: Mapping[str, str]) -> Figure:
    """Bars of parts on top of each other, a panel beside the other.

    Args:
        panels: by title, bars with a label and parts with names.
        colours: of the parts by their names, lowest part first.
    """
    figure = Figure(figsize=(7.2, 2.7), layout="constrained")
    for place, (title, bars) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        bottom = np.zeros(len(bars))
        for name, colour in colours.items():
            heights = np.array([parts[name] for _, parts in bars])
            place.bar(range(len(bars)), heights, 0.7, bottom, color=colour, label=name)
            bottom += heights
        place.set_xticks(range(len(bars)), [label for label, _ in bars], fontsize=7)
        place.set_title(title, fontsize=9, color=INK)
        place.tick_params(labelsize=7, colors=INK)
        place.set_ylabel("nats", fontsize=8, color=INK)
        place.spines[["top", "right"]].set_visible(False)
    place.legend(fontsize=7, frameon=False)
    return figure
