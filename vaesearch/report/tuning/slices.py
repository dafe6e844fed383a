"""Each parameter against what its trials reached."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, NullLocator

from vaesearch.report.figures import INK, save
from vaesearch.report.tuning.parts import (
    GRID,
    Column,
    about,
    canvas,
    columns,
    epochs_norm,
    frame,
    hidden,
    trained,
)
from vaesearch.report.tuning.words import direction, label, value
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import Findings, Trial

_WIDE = 3  # panels in a row
_GOLDEN = 0.618  # spreads trials of one choice, the same every time


def slices(state: SearchState, found: Findings, path: Path) -> None:
    """Draw a panel for each parameter: a dot per trial at its best value, coloured by its epochs.

    A ring marks the best trial, a diamond the defaults, a cross a trial that failed.

    Raises:
        StorageError: the file cannot be written.
    """
    shown, trials = columns(state, found), trained(found, found.reward)
    if not shown or not trials:
        return
    rows = -(-len(shown) // _WIDE)
    wide = min(_WIDE, len(shown))
    figure, axes = canvas(3.1 * wide + 0.9, 2.7 * rows + 0.5, rows, wide)
    low, high = frame([t.figures[found.reward] for t in trials], found.reward)
    norm = epochs_norm(trials)
    dots = None
    for one, column in zip(axes, shown, strict=False):
        dots = _panel(one, column, trials, found, norm) or dots
        one.set_ylim(low, high)
    for place, one in enumerate(axes):
        one.set_visible(place < len(shown))
        if place % wide == 0:
            one.set_ylabel(f"best validation\n{label(found.reward)}")
    outside = sum(not low <= t.figures[found.reward] <= high for t in trials)
    remark = f"; {hidden(outside)}" if outside else ""
    figure.suptitle(
        f"Each parameter against what its trials reached: {about(state.config)}\n"
        f"({direction(found.reward)}; ring: best, diamond: defaults, cross: failed{remark})",
        x=0.01, ha="left", fontsize=10, color=INK,
    )  # fmt: skip
    if dots is not None:
        bar = figure.colorbar(dots, ax=axes, label="epochs of the trial", shrink=0.8)
        bar.ax.yaxis.set_major_locator(FixedLocator(few({t.epochs for t in trials})))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter("{x:.0f}")
    save(figure, path)


def few(epochs: set[int]) -> list[int]:
    """A few of them to name on a logarithmic scale: none too near to the next one."""
    named: list[int] = []
    for epoch in sorted(epochs - {0}, reverse=True):
        if not named or 1.4 * epoch <= named[-1]:
            named.append(epoch)
    return named


def _panel(
    axes: Axes, column: Column, trials: list[Trial], found: Findings, norm: Normalize
) -> PathCollection | None:
    having = [(t, p) for t in trials if (p := column.place(t)) is not None]
    name = found.reward
    places = [p + (_jitter(t.number) if column.options else 0.0) for t, p in having]
    x = {t.number: place for (t, _), place in zip(having, places, strict=True)}
    sound = [t for t, _ in having if t.state != "failed"]
    dots = axes.scatter(
        [x[t.number] for t in sound], [t.figures[name] for t in sound],
        c=[t.epochs for t in sound], norm=norm, cmap="viridis_r", s=_size(len(trials)),
        edgecolors="white", linewidths=0.3, zorder=3,
    )  # fmt: skip
    failed = [t for t, _ in having if t.state == "failed"]
    axes.plot([x[t.number] for t in failed], [t.figures[name] for t in failed], "x",
              color="#D55E00", markersize=4, zorder=2)  # fmt: skip
    for number, mark, colour in _marks(found):
        if number in x:
            axes.plot(x[number], found.trials[number].figures[name], mark,
                      markersize=8 if mark == "D" else 13,
                      markerfacecolor="none", markeredgecolor=colour, markeredgewidth=1.6,
                      zorder=5)  # fmt: skip
    _scale(axes, column)
    return dots if sound else None


def _marks(found: Findings) -> list[tuple[int, str, str]]:
    best = [(found.best.number, "o", "#D55E00")] if found.best else []
    return best + [(number, "D", "#000000") for number in found.defaults]


def _scale(axes: Axes, column: Column) -> None:
    axes.set_xlabel(column.name)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    if column.options:
        axes.set_xticks(range(len(column.options)), [_short(o) for o in column.options])
        axes.set_xlim(-0.5, len(column.options) - 0.5)
        if sum(map(len, column.options)) > 24:
            axes.tick_params(axis="x", labelrotation=20)
        return
    if column.log:
        axes.set_xscale("log")
        ticks = np.geomspace(column.low, column.high, 4)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [value(float(f"{t:.2g}")) for t in ticks])
        margin = (column.high / column.low) ** 0.04
        axes.set_xlim(column.low / margin, column.high * margin)
    else:
        margin = 0.04 * (column.high - column.low)
        axes.set_xlim(column.low - margin, column.high + margin)


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"


def _jitter(number: int) -> float:
    return 0.5 * ((number * _GOLDEN) % 1 - 0.5)


def _size(count: int) -> float:
    return 26 if count <= 60 else 14
