"""Parallel coordinates: a line per trial through all its values."""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from vaesearch.report.figures import INK, save
from vaesearch.report.tuning.parts import GREY, Column, about, canvas, columns, frame, trained
from vaesearch.report.tuning.words import figure as write
from vaesearch.report.tuning.words import label
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import signs
from vaesearch.search.tuning.findings import Findings, Trial

_BEST = 10  # lines in colour
_ABSENT = -0.12  # where a line runs that has no such parameter


def parallel(state: SearchState, found: Findings, path: Path) -> None:
    """Draw each trained trial as a line, the ten best in colour, the best of all the thickest.

    The last axis is the best value, the better end on top. A line below an axis has no such
    parameter.

    Raises:
        StorageError: the file cannot be written.
    """
    shown, trials = columns(state, found), trained(found, found.reward)
    if not shown or not trials:
        return
    figure, (axes,) = canvas(1.75 * len(shown) + 2.6, 4.6)
    best = [n for n in found.ranking[:_BEST] if found.trials[n].state != "failed"]
    colours = dict(zip(best, colormaps["plasma"](np.linspace(0, 0.85, len(best))), strict=True))
    limits = frame([t.figures[found.reward] for t in trials], found.reward)
    for trial in trials:
        line = [_at(column, trial) for column in shown] + [_height(trial, found, limits)]
        place = best.index(trial.number) if trial.number in best else None
        axes.plot(
            range(len(line)), line, "-", clip_on=False,
            color=GREY if place is None else colours[trial.number],
            alpha=min(0.5, 40 / len(trials)) if place is None else 0.95,
            linewidth=2.6 if place == 0 else 0.9 if place is None else 1.4,
            zorder=2 if place is None else 20 - place,
        )  # fmt: skip
    _dress(axes, shown, found, limits)
    axes.set_title(
        f"Trials by their values: {about(state.config)}\n({min(_BEST, len(best))} best of "
        f"{len(trials)} in colour, the darkest is the best; right: best validation value)",
        loc="left", fontsize=10, color=INK, pad=26,
    )  # fmt: skip
    save(figure, path)


def _at(column: Column, trial: Trial) -> float:
    place = column.place(trial)
    return _ABSENT if place is None else column.share(place)


def _height(trial: Trial, found: Findings, limits: tuple[float, float]) -> float:
    """The better end at 1, what is out of the frame at its edge."""
    low, high = limits
    share = (trial.figures[found.reward] - low) / (high - low)
    (sign,) = signs((found.reward,))
    return float(np.clip(share if sign > 0 else 1 - share, 0, 1))


def _dress(axes: Axes, shown: list[Column], found: Findings, limits: tuple[float, float]) -> None:
    """An upright axis with its ticks for each parameter, and for the value."""
    (sign,) = signs((found.reward,))
    ends = limits if sign > 0 else limits[::-1]
    values = [(s, write(found.reward, ends[0] + s * (ends[1] - ends[0]))) for s in (0, 0.5, 1)]
    ticks = [column.ticks() for column in shown] + [values]
    for place, marks in enumerate(ticks):
        axes.plot([place, place], [0, 1], color="#777777", linewidth=1, zorder=30)
        for share, text in marks:
            axes.plot([place - 0.02, place], [share, share], color="#777777", linewidth=1,
                      zorder=30)  # fmt: skip
            axes.annotate(
                text, (place, share), (4, 0), textcoords="offset points", va="center",
                fontsize=7, color=INK, zorder=40,
                bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
            )  # fmt: skip
    if any(
        _at(column, trial) == _ABSENT for column in shown for trial in found.trials if trial.arm
    ):
        axes.text(len(shown) - 0.6, _ABSENT, "not there", fontsize=7, color=INK, va="center")
    names = [column.name.replace(".", ".\n") for column in shown] + [label(found.reward)]
    axes.set_xticks(range(len(names)), names)
    axes.tick_params(axis="x", length=0, pad=8)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlim(-0.2, len(names) - 0.6)
    axes.set_ylim(_ABSENT - 0.03, 1.02)
