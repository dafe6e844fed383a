"""How a tuned search went: the best value over epochs and seconds, of all and of each group."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, NullLocator

from vaesearch.events import Event
from vaesearch.report.figures import COLOURS, INK, save
from vaesearch.report.tuning.parts import GRID, about, canvas, epochs_norm, frame, hidden
from vaesearch.report.tuning.slices import few
from vaesearch.report.tuning.words import direction, label
from vaesearch.search.regret import Step, Trace
from vaesearch.search.replays import trace_of
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import signs
from vaesearch.search.tuning.findings import Findings, Trial


def history(state: SearchState, found: Findings, events: Iterable[Event], path: Path) -> None:
    """Draw the best value so far over epochs and over seconds; each trial is a dot at its best.

    Raises:
        StorageError: the file cannot be written.
    """
    trace = trace_of(events)
    if not trace.steps or not found.ranking:
        return
    figure, (first, second) = canvas(8.5, 6.4, 2, 1)
    trials = {t.arm: t for t in found.trials if t.arm is not None}
    norm = epochs_norm(list(trials.values()))
    (sign,) = signs((found.reward,))
    for axes, unit in ((first, "epochs spent on all trials together"), (second, "seconds")):
        dots = _dots(axes, trace, trials, norm, sign, unit)
        _line(axes, trace, sign, unit)
        axes.set_xlabel(unit)
        _dress(axes, found)
    low, high = frame(
        [t.figures[found.reward] for t in trials.values() if t.figures], found.reward
    )
    outside = sum(not low <= t.figures[found.reward] <= high for t in trials.values() if t.figures)
    for axes in (first, second):
        axes.set_ylim(low, high)
    bar = figure.colorbar(dots, ax=[first, second], label="epochs of the trial", shrink=0.7)
    bar.ax.yaxis.set_major_locator(FixedLocator(few({t.epochs for t in trials.values()})))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter("{x:.0f}")
    remark = f"; {hidden(outside)}" if outside else ""
    first.set_title(
        f"Best value so far: {about(state.config)}\n(each trial a dot at its best epoch{remark})",
        loc="left", fontsize=10, color=INK,
    )  # fmt: skip
    save(figure, path)


def _dots(
    axes: Axes, trace: Trace, trials: dict[str, Trial], norm: Normalize, sign: int, unit: str
) -> PathCollection:
    best: dict[str, Step] = {}
    for step in trace.steps:
        if step.arm not in best or step.reward > best[step.arm].reward:
            best[step.arm] = step
    shown = [step for name, step in best.items() if name in trials]
    return axes.scatter(
        [_x(step, unit) for step in shown], [sign * step.reward for step in shown],
        c=[trials[step.arm].epochs for step in shown], norm=norm, cmap="viridis_r",
        s=26 if len(shown) <= 60 else 12, edgecolors="white", linewidths=0.3, zorder=3,
    )  # fmt: skip


def _line(axes: Axes, trace: Trace, sign: int, unit: str) -> None:
    line = trace.progress()
    points = [
        (_x(at, unit), sign * best.reward)
        for at, best in zip(trace.steps, line, strict=True)
        if best is not None
    ]
    axes.step(*zip(*points, strict=True), where="post", color=COLOURS[1], linewidth=1.6, zorder=4)


def _x(step: Step, unit: str) -> float:
    return step.seconds if unit == "seconds" else step.spent


def groups(state: SearchState, found: Findings, events: Iterable[Event], path: Path) -> None:
    """Draw the best value so far of each decoder over the epochs of the whole search.

    Nothing is drawn for a single one.

    Raises:
        StorageError: the file cannot be written.
    """
    names = list(dict.fromkeys(t.group for t in found.trials))
    steps = trace_of(events).steps
    if len(names) < 2 or not steps:
        return
    (sign,) = signs((found.reward,))
    group = {t.arm: t.group for t in found.trials if t.arm is not None and t.state != "failed"}
    figure, (axes,) = canvas(8.5, max(3.8, 0.26 * len(names) + 1.6))
    ends, seen = {}, []
    for place, name in enumerate(names):
        mine = [step for step in steps if group.get(step.arm) == name]
        if not mine:
            continue
        best = np.maximum.accumulate([step.reward for step in mine])
        x = [step.spent for step in mine] + [len(steps)]
        y = sign * np.append(best, best[-1])
        tried = len({step.arm for step in mine})
        ends[name] = (best[-1], tried, len(mine))
        seen += y.tolist()
        line = "-" if place < len(COLOURS) else "--"
        axes.step(x, y, line, where="post", color=COLOURS[place % len(COLOURS)], linewidth=1.8,
                  label=name)  # fmt: skip
    _dress(axes, found)
    axes.set_ylim(*frame(seen, found.reward))
    axes.set_xlim(0, len(steps) * 1.01)
    axes.set_xlabel("epochs spent on all trials together")
    _legend(axes, ends, sign)
    axes.set_title(f"What each decoder reached when tuned: {about(state.config)}", loc="left",
                   fontsize=10, color=INK)  # fmt: skip
    save(figure, path)


def _legend(axes: Axes, ends: dict[str, tuple[float, int, int]], sign: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: -ends[labels[i]][0])
    texts = [
        f"{sign * ends[labels[i]][0]:.4g}  {labels[i]} ({ends[labels[i]][1]} trials, "
        f"{ends[labels[i]][2]} epochs)"
        for i in order
    ]
    axes.legend([handles[i] for i in order], texts, loc="upper left", bbox_to_anchor=(1.01, 1),
                frameon=False, labelcolor=INK, fontsize=8)  # fmt: skip


def _dress(axes: Axes, found: Findings) -> None:
    axes.set_ylabel(f"best validation {label(found.reward)}\n({direction(found.reward)})")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
