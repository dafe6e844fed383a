"""The Pareto front: what cannot be had together."""

from itertools import combinations
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes

from vaesearch.report.figures import COLOURS, INK, save
from vaesearch.report.tuning.parts import GREY, GRID, about, canvas
from vaesearch.report.tuning.words import direction, label
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import signs
from vaesearch.search.tuning.findings import Findings, Trial

_NAMED = 10  # trials of the front with their number beside them


def pareto_front(state: SearchState, found: Findings, path: Path) -> None:
    """Draw the trials by each pair of objectives; the front in colour, the others grey.

    A star is the best by the reward, a diamond the defaults. Hollow dots are the same models on
    test images.

    Raises:
        StorageError: the file cannot be written.
    """
    pairs = list(combinations(found.objectives, 2))
    if not pairs or not found.front:
        return
    wide = min(2, len(pairs))
    rows = -(-len(pairs) // wide)
    figure, axes = canvas(6.6 if wide == 1 else 11, 4.6 * rows, rows, wide)
    for panel, pair in zip(axes, pairs, strict=False):
        _panel(panel, found, pair)
    for place, panel in enumerate(axes):
        panel.set_visible(place < len(pairs))
    axes[0].legend(loc="best", frameon=False, labelcolor=INK, fontsize=8)
    figure.suptitle(
        f"Pareto front: {about(state.config)}", x=0.01, ha="left", fontsize=10, color=INK
    )
    save(figure, path)


def _panel(axes: Axes, found: Findings, pair: tuple[str, str]) -> None:
    on = [found.trials[n] for n in found.front]
    members = {trial.number for trial in on}
    off = [
        t for t in found.trials
        if t.arm and t.number not in members and t.state != "failed" and t.figures
    ]  # fmt: skip
    x, y = pair
    axes.plot(*_points(off, pair), "o", color=GREY, markersize=3.5, alpha=0.7, zorder=2,
              label=f"dominated ({len(off)})")  # fmt: skip
    ordered = sorted(on, key=lambda t: t.figures[x])
    if len(found.objectives) == 2:
        where: Literal["pre", "post"] = "post" if _sign(x) < 0 else "pre"
        axes.step(*_points(ordered, pair), where=where, color=COLOURS[0], linewidth=1, zorder=3)
    axes.plot(*_points(on, pair), "o", color=COLOURS[0], markersize=6, zorder=4,
              label=f"front ({len(on)})")  # fmt: skip
    _tests(axes, on, pair)
    default = [found.trials[n] for n in found.defaults if found.trials[n].figures]
    if default:
        axes.plot(*_points(default, pair), "D", color="black", markersize=8, zorder=6,
                  markerfacecolor="none", markeredgewidth=1.6, label="defaults")  # fmt: skip
    if found.best is not None and found.best.figures:
        axes.plot(*_points([found.best], pair), "*", color=COLOURS[1], markersize=14, zorder=5,
                  label=f"best {label(found.reward)}")  # fmt: skip
    for trial in _spread(ordered):
        axes.annotate(str(trial.number), (trial.figures[x], trial.figures[y]), (5, 4),
                      textcoords="offset points", fontsize=7, color=INK)  # fmt: skip
    for axis, name in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_label_text(f"validation {label(name)} ({direction(name)})")
    everything = [t.figures for t in (*on, *off)]
    for name, change in ((x, axes.set_xscale), (y, axes.set_yscale)):
        numbers = [f[name] for f in everything]
        if min(numbers) > 0 and max(numbers) > 20 * min(numbers):
            change("log")
    axes.grid(color=GRID, linewidth=0.8)


def _tests(axes: Axes, trials: list[Trial], pair: tuple[str, str]) -> None:
    """The same models on test images, each joined to itself."""
    tested = [t for t in trials if all(name in t.test for name in pair)]
    x, y = pair
    for trial in tested:
        axes.plot([trial.figures[x], trial.test[x]], [trial.figures[y], trial.test[y]], ":",
                  color=COLOURS[0], linewidth=0.9, zorder=3)  # fmt: skip
    if tested:
        axes.plot([t.test[x] for t in tested], [t.test[y] for t in tested], "o",
                  color=COLOURS[0], markersize=5, markerfacecolor="white", zorder=3,
                  label="front, on test images")  # fmt: skip


def _spread(trials: list[Trial]) -> list[Trial]:
    """As many as can be named, evenly taken."""
    if len(trials) <= _NAMED:
        return trials
    step = (len(trials) - 1) / (_NAMED - 1)
    return [trials[round(i * step)] for i in range(_NAMED)]


def _points(trials: list[Trial], pair: tuple[str, str]) -> tuple[list[float], list[float]]:
    having = [t.figures for t in trials if all(name in t.figures for name in pair)]
    return [f[pair[0]] for f in having], [f[pair[1]] for f in having]


def _sign(name: str) -> int:
    (sign,) = signs((name,))
    return sign
