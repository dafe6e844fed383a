"""The pictures of a search: learning curves, who got which epoch, and grids of images.

Drawn without pyplot, so that nothing depends on a display or on the state of a process.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image, ImageDraw, ImageFont

from vaesearch.errors import StorageError
from vaesearch.events import Event, PullFinished
from vaesearch.report.tables import best_arm
from vaesearch.report.units import robust_floor, scale_of
from vaesearch.search.state import SearchState

# Okabe & Ito's palette for all kinds of colour vision, less the yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
_LINES = ("-", "--", ":", "-.")  # one more each time the colours are used up
INK = "#333333"
_DPI = 150
_GAP = 6  # pixels between the images of a grid
_PAIR_GAP = 2  # pixels between an original and its reconstruction
_TITLE_HEIGHT = 24  # pixels


@dataclass(frozen=True)
class _Look:
    colour: str
    line: str


def _looks(state: SearchState) -> dict[str, _Look]:
    """Colour and line of each arm, by the order of joining, so that they never change."""
    return {
        name: _Look(COLOURS[i % len(COLOURS)], _LINES[i // len(COLOURS) % len(_LINES)])
        for i, name in enumerate(state.arms)
    }


def learning_curves(state: SearchState, path: Path) -> None:
    """Draw the validation figure of every arm against its epochs, as a PNG at ``path``.

    A ring marks the best epoch of an arm, a star that of the best arm, a cross where an arm was
    cut or failed. Epochs far off the rest run out of the picture.

    Raises:
        StorageError: the file cannot be written.
    """
    scale, names = scale_of(state), [n for n in state.ranking if state.arms[n].reports]
    figure, axes = _canvas(8, max(4.2, 0.24 * len(names) + 1))
    looks, winner = _looks(state), best_arm(state)
    for name in names:
        _curve(axes, state, name, looks[name], name == winner)
    axes.set_xlabel("epoch of the arm")
    axes.set_ylabel(f"validation {scale.name} ({scale.direction})")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    if names:
        _frame(axes, state, names)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, labelcolor=INK)
    _title(axes, "Learning curves", state)
    save(figure, path)


def _curve(axes: Axes, state: SearchState, name: str, look: _Look, wins: bool) -> None:
    scale, arm, status = scale_of(state), state.arms[name], state.history.arm(name).status
    best = arm.best
    if best is None:
        return
    epochs = [r.epoch for r in arm.reports]
    figures = [scale.sign * r.reward for r in arm.reports]
    ended = "" if status == "open" else f" ({status})"
    axes.plot(
        epochs, figures, look.line, color=look.colour, linewidth=2.4 if wins else 1.5,
        marker=".", markersize=4, alpha=0.5 if ended else 1, zorder=3 if wins else 2,
        label=f"{scale.write_reward(best.reward)}  {name}{ended}",
    )  # fmt: skip
    if ended:
        axes.plot(epochs[-1], figures[-1], "x", color=look.colour, markersize=5, zorder=6)
    mark, size = ("*", 15) if wins else ("o", 9 if ended else 7)
    axes.plot(
        best.epoch, scale.sign * best.reward, mark, color=look.colour, markersize=size,
        markerfacecolor=look.colour if wins else "white", markeredgewidth=1.5, zorder=5,
    )  # fmt: skip


def _frame(axes: Axes, state: SearchState, names: Sequence[str]) -> None:
    """Limit the axes to what is worth seeing: every arm's best epoch and no far outlier."""
    longest = max(state.arms[n].epoch for n in names)
    axes.set_xlim(0, longest + max(0.5, 0.03 * longest))
    rewards = np.array([r.reward for n in names for r in state.arms[n].reports])
    rewards = rewards[np.isfinite(rewards)]
    if not rewards.size:
        return
    bests = [state.history.arm(n).value for n in names if state.history.arm(n).status != "failed"]
    top = float(rewards.max())
    # The leader has most of the epochs, so the others need room of their own.
    roomy = top - 1.6 * (top - min(bests, default=top))
    floor = max(min(robust_floor(rewards.tolist()), roomy), float(rewards.min()))
    margin = 0.06 * (top - floor) or 0.05
    axes.set_ylim(*sorted(scale_of(state).sign * v for v in (floor - margin, top + margin)))
    if hidden := int((rewards < floor - margin).sum()):
        label = f"{hidden} worse {'epoch' if hidden == 1 else 'epochs'} outside the picture"
        axes.set_xlabel(f"{axes.get_xlabel()}   ({label})")


def allocation(state: SearchState, events: Iterable[Event], path: Path) -> None:
    """Draw which arm got which epoch and how the shares grew, as a PNG at ``path``.

    Epochs stand in the order in which they finished; those of parallel pulls stand side by side.

    Raises:
        StorageError: the file cannot be written.
    """
    owners = [e.arm for e in events if isinstance(e, PullFinished) for _ in e.reports]
    names, looks = state.ranking, _looks(state)
    figure, (tiles, shares) = canvas_pair(8, 0.28 * len(names) + 0.6, 1.8)
    for row, name in enumerate(names):
        mine = [i for i, owner in enumerate(owners) if owner == name]
        tiles.broken_barh([(i, 1) for i in mine], (row - 0.4, 0.8), color=looks[name].colour)
        share = f"{len(mine)} ({len(mine) / max(1, len(owners)):.0%})"
        tiles.text(1.01, row, share, transform=tiles.get_yaxis_transform(), va="center_baseline",
                   color=INK)  # fmt: skip
    tiles.set_yticks(range(len(names)), names)
    tiles.set_ylim(max(1, len(names)) - 0.5, -0.5)
    tiles.tick_params(axis="y", length=0)
    if owners:
        _shares(shares, owners, names, [looks[n].colour for n in names])
    shares.set_xlabel("epoch of the search")
    shares.set_ylabel("share so far")
    shares.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _title(tiles, "Who got which epoch", state)
    save(figure, path)


def _shares(
    axes: Axes, owners: Sequence[str], names: Sequence[str], colours: Sequence[str]
) -> None:
    given = np.array([[owner == name for owner in owners] for name in names], dtype=float)
    total = np.arange(1, len(owners) + 1)
    share = given.cumsum(axis=1) / total
    # From the first epoch's left edge to the last one's right edge, like the tiles above.
    edges = np.concatenate([[0], total])
    bands = np.concatenate([share[:, :1], share], axis=1)
    axes.stackplot(edges, bands[::-1], colors=colours[::-1], edgecolor="white", linewidth=0.6)
    axes.set_xlim(0, len(owners))
    axes.set_ylim(0, 1)


def _canvas(width: float, height: float, dpi: int = _DPI) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _plain(axes)
    return figure, axes


def canvas_pair(
    width: float, upper: float, lower: float, *, share: bool = True
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Two pictures above each other, on one x axis if they ``share`` it; heights in inches."""
    figure = Figure(figsize=(width, upper + lower + 0.8), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    first, second = figure.subplots(2, 1, sharex=share, height_ratios=[upper, lower])
    _plain(first)
    _plain(second)
    return figure, (first, second)


def square_canvas(side: float) -> tuple[Figure, Axes]:
    """A picture whose two axes have the same unit; room for a legend to its right."""
    figure, axes = _canvas(1.35 * side, side, 120)
    axes.set_aspect("equal", adjustable="box")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(colors=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _title(axes: Axes, title: str, state: SearchState) -> None:
    about = [str(state.config[key]) for key in ("dataset", "policy") if state.config.get(key)]
    axes.set_title(": ".join([title, ", ".join(about)] if about else [title]), loc="left")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG at ``path``, whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    content = BytesIO()
    figure.savefig(content, format="png", pil_kwargs={"optimize": True})
    write_file(path, content.getvalue())


def write_file(path: Path, content: bytes) -> None:
    """Put a whole file at ``path``, or none: a reader never meets half a picture.

    Raises:
        StorageError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {error.strerror}.") from error


def image_grid(
    images: np.ndarray,
    path: Path,
    columns: int,
    scale: int,
    title: str | None = None,
    pairs: bool = False,
) -> None:
    """Lay images out in a grid on white, line by line, as a PNG at ``path``.

    Args:
        images: uint8 [N, C, H, W], grey (C = 1) or colour (C = 3).
        path: of the PNG.
        columns: images (or pairs) per line.
        scale: each pixel becomes a square of this many pixels; nothing is smoothed.
        title: written above the grid.
        pairs: images alternate, original and reconstruction; each pair stands as one column.

    Raises:
        StorageError: the file cannot be written.
    """
    cells = images.repeat(scale, axis=2).repeat(scale, axis=3).transpose(0, 2, 3, 1)
    if pairs:
        originals, copies = cells[0::2], cells[1::2]
        gap = np.full_like(originals[:, :_PAIR_GAP], 255)
        cells = np.concatenate([originals, gap, copies], axis=1)
    head = _TITLE_HEIGHT if title else 0
    grid = _mosaic(cells, columns, head)
    picture = Image.fromarray(grid[..., 0] if grid.shape[-1] == 1 else grid)
    if title:
        font = ImageFont.load_default(_TITLE_HEIGHT * 0.6)
        ImageDraw.Draw(picture).text((_GAP, _GAP), title, fill=INK, font=font)
    content = BytesIO()
    picture.save(content, format="PNG")
    write_file(path, content.getvalue())


def _mosaic(cells: np.ndarray, columns: int, head: int) -> np.ndarray:
    """Cells [N, H, W, C] side by side, ``_GAP`` white pixels around each, ``head`` above all."""
    count, height, width, channels = cells.shape
    columns = min(columns, count)
    lines = -(-count // columns)
    shape = (head + lines * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels)
    grid = np.full(shape, 255, np.uint8)
    for index, cell in enumerate(cells):
        line, column = divmod(index, columns)
        top = head + _GAP + line * (height + _GAP)
        left = _GAP + column * (width + _GAP)
        grid[top : top + height, left : left + width] = cell
    return grid
