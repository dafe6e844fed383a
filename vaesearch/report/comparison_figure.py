"""How policies compare on recorded curves, as a picture: what they found, whom they trained."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter

from vaesearch.report.comparison import Comparison, starred, title
from vaesearch.report.figures import COLOURS, INK, canvas_pair, save
from vaesearch.search.comparison import ORACLE, UNIFORM
from vaesearch.search.outcomes import Outcome
from vaesearch.search.regret import near

_NAMED = 7  # arms with a shade of their own
_OTHERS = "#CCCCCC"
_SHOWN_FROM = 0.05  # share of the budget; before it, curves are too steep to share a picture


def comparison_figure(comparison: Comparison, path: Path) -> None:
    """Draw the best value found against epochs spent, and the epochs of each arm, as a PNG.

    Lines are means over the searches of a policy. Uniform allocation and the oracle, which trains
    the one arm that is best for the budget so far, are there to compare with; the thin line is
    within 1 % of the best that was recorded.

    Args:
        comparison: what to draw.
        path: of the PNG.

    Raises:
        StorageError: the file cannot be written.
    """
    figure, (lines, bars) = canvas_pair(8.5, 3.9, 0.3 * len(comparison.rows) + 0.4, share=False)
    _progress(lines, comparison)
    _allocation(bars, comparison)
    star = "; * stopped where curves end" if comparison.cut_short else ""
    heading = textwrap.fill(f"In hindsight: {title(comparison)}{star}", 80)
    lines.set_title(heading, loc="left", fontsize=9, color=INK)
    save(figure, path)


def _progress(axes: Axes, comparison: Comparison) -> None:
    scale = comparison.scale
    policies = [name for name in comparison.rows if name != ORACLE]
    spent = max(len(_line(comparison.rows[name])) for name in policies)
    lines = {name: scale.sign * _line(comparison.rows[name]) for name in policies}
    lines[ORACLE] = scale.sign * _envelope(comparison, spent)
    colours = iter(COLOURS * len(policies))
    for name, values in lines.items():
        colour, style = (INK, "--") if name == ORACLE else ("#999999", "-.")
        if name not in (ORACLE, UNIFORM):
            colour, style = next(colours), "-"
        axes.plot(
            np.arange(1, len(values) + 1), values, style, color=colour,
            label=starred(name, comparison.rows[name]),
            linewidth=2.4 if name == comparison.own else 1.6,
        )  # fmt: skip
    goal = fmean(scale.sign * near(i.best.reward) for i in comparison.instances)
    axes.axhline(goal, color=INK, linewidth=0.7, linestyle=":")
    axes.text(0.01, goal, "within 1 % of the best", color=INK, fontsize=7,
              va="top" if scale.sign < 0 else "bottom",
              transform=axes.get_yaxis_transform())  # fmt: skip
    first = max(1, int(_SHOWN_FROM * spent))
    shown = np.concatenate([values[first:] for values in lines.values()])
    if np.isfinite(shown).any():
        low, high = np.nanmin(shown), np.nanmax(shown)
        axes.set_ylim(low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
    axes.set_xlim(0, spent + 1)
    axes.set_xlabel("epochs spent on all arms together")
    axes.set_ylabel(f"best validation {scale.name} so far\n({scale.direction})")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, labelcolor=INK)


def _line(rows: Sequence[Outcome]) -> np.ndarray:
    """Mean reward of what would have been handed out after 1, 2, ... epochs; NaN where nothing."""
    progress = [
        [step.reward if step else np.nan for step in outcome.trace.progress()] for outcome in rows
    ]
    return _mean([line for line in progress if line])


def _envelope(comparison: Comparison, spent: int) -> np.ndarray:
    """The best reward that one arm alone reaches in 1, 2, ... epochs, mean over the instances."""
    best = []
    for instance in comparison.instances:
        line = np.full(instance.longest, -np.inf)
        for rewards in instance.rewards.values():
            line[: len(rewards)] = np.maximum(line[: len(rewards)], rewards)
        best.append(np.maximum.accumulate(line).tolist())
    return _mean(best, spent)[:spent]


def _mean(lines: Sequence[Sequence[float]], least: int = 1) -> np.ndarray:
    """The mean of lines, each drawn out at its last value to the longest (and to ``least``)."""
    length = max([least, *map(len, lines)])
    if not lines:
        return np.full(length, np.nan)
    drawn_out = np.array([[*line, *[line[-1]] * (length - len(line))] for line in lines])
    mean: np.ndarray = drawn_out.mean(axis=0)
    return mean


def _allocation(axes: Axes, comparison: Comparison) -> None:
    """One bar per policy: shares of its epochs, the arm that is best in the recording first."""
    ranking = _ranking(comparison)
    shades = colormaps["viridis"](np.linspace(0, 1, min(_NAMED, len(ranking))))
    for row, outcomes in enumerate(comparison.rows.values()):
        counts = Counter(step.arm for outcome in outcomes for step in outcome.trace.steps)
        total, left = max(1, counts.total()), 0.0
        for place, arm in enumerate(ranking):
            share = counts[arm] / total
            colour = shades[place] if place < _NAMED else _OTHERS
            label = arm if place < _NAMED else "others" if place == _NAMED else None
            axes.barh(
                row, share, 0.75, left, color=colour, edgecolor="white", linewidth=0.6,
                label=label if row == 0 else None,
            )  # fmt: skip
            left += share
    axes.set_yticks(
        range(len(comparison.rows)), [starred(*row) for row in comparison.rows.items()]
    )
    axes.set_ylim(len(comparison.rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of the epochs, best arm first")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.05), frameon=False, labelcolor=INK,
                fontsize=7)  # fmt: skip


def _ranking(comparison: Comparison) -> list[str]:
    """Arms by their best recorded checkpoint, mean over the instances, best first."""
    values = {
        name: fmean(
            max(instance.rewards[name], default=-np.inf) for instance in comparison.instances
        )
        for name in comparison.instances[0].curves
    }
    return sorted(values, key=lambda name: -values[name])
