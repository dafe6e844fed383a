"""What the pictures of trials have in common: scales of parameters and canvases."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from vaesearch.report.figures import INK
from vaesearch.report.tuning.words import value
from vaesearch.report.units import robust_floor
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import signs
from vaesearch.search.tuning.findings import Findings, Trial
from vaesearch.space import Choice, Int, Parameter, Space

GREY = "#BBBBBB"
GRID = "#E6E6E6"
GROUP = "decoder"


@dataclass(frozen=True)
class Column:
    """A parameter as an axis.

    Attributes:
        name: of the parameter, or ``decoder`` for the group.
        options: of a choice, as they are written, in order; empty for numbers.
        log: whether the axis is.
        low, high: ends of the domain, for numbers.
        whole: whether these are integers.
    """

    name: str
    options: tuple[str, ...] = ()
    log: bool = False
    low: float = 0.0
    high: float = 1.0
    whole: bool = False

    def place(self, trial: Trial) -> float | None:
        """Where a trial stands on the axis; None if it has no such parameter."""
        given = trial.group if self.name == GROUP else trial.values.get(self.name)
        if given is None:
            return None
        if self.options:
            return float(self.options.index(str(given))) if str(given) in self.options else None
        return float(given)

    def share(self, place: float) -> float:
        """A place as a share of the axis, 0 at its lower end."""
        if self.options:
            return place / max(1, len(self.options) - 1)
        if self.log:
            return math.log(place / self.low) / math.log(self.high / self.low)
        return (place - self.low) / (self.high - self.low)

    def ticks(self, count: int = 5) -> list[tuple[float, str]]:
        """Shares of the axis, each with what stands there."""
        if self.options:
            return [(self.share(i), name) for i, name in enumerate(self.options)]
        spaced = np.geomspace if self.log else np.linspace
        places = spaced(self.low, self.high, count)
        if self.whole:
            places = np.unique(np.round(places))
        return [(self.share(float(p)), value(float(p))) for p in places]


def columns(state: SearchState, found: Findings) -> list[Column]:
    """The parameters of the space, those first that all trials have; groups before them."""
    space = Space.from_dict(state.space) if state.space else Space(())
    groups = tuple(dict.fromkeys(trial.group for trial in found.trials))
    shown = [Column(GROUP, groups)] if len(groups) > 1 else []
    return shown + [_column(p) for p in sorted(space.parameters, key=lambda p: bool(p.when))]


def _column(parameter: Parameter) -> Column:
    domain = parameter.domain
    if isinstance(domain, Choice):
        return Column(parameter.name, tuple(map(str, domain.options)))
    low, high = float(domain.low), float(domain.high)
    whole = isinstance(domain, Int)
    return Column(parameter.name, (), domain.log, low, high if high > low else low + 1, whole)


def trained(found: Findings, objective: str) -> list[Trial]:
    """The trials that have the figure, worst first, so that the best are drawn on top."""
    (sign,) = signs((objective,))
    having = [t for t in found.trials if t.arm is not None and objective in t.figures]
    return sorted(having, key=lambda t: sign * t.figures[objective])


def frame(figures: Sequence[float], objective: str) -> tuple[float, float]:
    """Where an axis of figures begins and ends: the best, and what is not far off the rest."""
    (sign,) = signs((objective,))
    rewards = [sign * f for f in figures if math.isfinite(f)]
    if not rewards:
        return 0.0, 1.0
    top, floor = max(rewards), robust_floor(rewards)
    margin = 0.05 * (top - floor) or 0.05 * abs(top) or 0.05
    low, high = sorted((sign * (top + margin), sign * (floor - margin)))
    return low, high


def epochs_norm(trials: Sequence[Trial]) -> Normalize:
    """Of a colour scale of epochs; logarithmic, since rungs are."""
    most = max((t.epochs for t in trials), default=1)
    return LogNorm(1, max(2, most))


def canvas(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """A picture with a grid of axes, row by row; sizes in inches."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
    for one in axes:
        plain(one)
    return figure, axes


def plain(axes: Axes) -> None:
    """The look that all pictures have."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(colors=INK)


def about(config: Mapping[str, object]) -> str:
    """What the search was on, for a title."""
    return ", ".join(
        str(config[key]) for key in ("dataset", "sampler", "policy") if config.get(key)
    )


def hidden(count: int, what: str = "trial") -> str:
    """A remark on what lies outside of a picture; empty where nothing does."""
    return f"{count} worse {what}{'s' * (count != 1)} outside the picture" if count else ""
