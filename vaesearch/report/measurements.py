"""Measurements of trained models as tables and notes; free of terminals."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vaesearch.records import Estimate
from vaesearch.report.units import NONE, write_seconds
from vaesearch.search.evaluations import Record

_DIGITS = 5  # that are shown of a figure without an error
_HUGE, _TINY = 1e7, 1e-4  # beyond these a figure is written with an exponent
CACHED = "cached"

# Measurements by arm, in the order in which they were asked for.
Measured = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Line:
    """A figure of all arms.

    Attributes:
        metric: with its settings.
        figure: its name.
        unit: and which way is better.
        cells: value and error for each arm, ``-`` where it has none.
        best: places of the best arms among ``cells``; empty where there is nothing to compare.
        count: of independent values, where it is the same for all arms.
        seconds: that the metric took, or ``cached``; only on its first line.
    """

    metric: str
    figure: str
    unit: str
    cells: tuple[str, ...]
    best: frozenset[int]
    count: str
    seconds: str


def lines(measured: Measured) -> list[Line]:
    """A line for each figure of each metric, in the order in which they were measured."""
    found = []
    for spec in _specs(measured):
        records = [_record(records, spec) for records in measured.values()]
        for place, figure in enumerate(_names(records)):
            found.append(_line(spec, figure, records, is_first=place == 0))
    return found


def remarks(measured: Measured) -> list[str]:
    """What the metrics note, each once, under the metric's name."""
    said: dict[str, list[str]] = {}
    for arm, records in measured.items():
        for record in records:
            for note in record.notes:
                said.setdefault(f"{record.spec}: {note}", []).append(arm)
    several = len(measured) > 1
    return [
        f"{text} [{', '.join(arms)}]" if several and len(arms) < len(measured) else text
        for text, arms in said.items()
    ]


def write_estimate(estimate: Estimate) -> str:
    """A figure with two digits of its error, and no decimals that those are not sure of.

    Whole numbers stay: differences on the same images are surer than either figure.

    >>> write_estimate(Estimate(-104.31764, 0.4523, 360)), write_estimate(Estimate(0.054321))
    ('-104.32 ± 0.45', '0.054321')
    >>> write_estimate(Estimate(41234.6, 126.3)), write_estimate(Estimate(7.0, 0.0))
    ('41235 ± 130', '7')
    """
    value, error = estimate.value, estimate.error
    if not math.isfinite(value):
        return NONE
    if not error or not math.isfinite(error) or not _TINY <= error < _HUGE:
        rest = f" ± {error:.1e}" if error and math.isfinite(error) else ""
        return f"{_alone(value)}{rest}"
    decimals = 1 - math.floor(math.log10(error))
    shown = max(0, decimals)
    return f"{value:.{shown}f} ± {round(error, decimals):.{shown}f}"


def _alone(value: float) -> str:
    if value.is_integer() and abs(value) < _HUGE:
        return f"{value:.0f}"
    if not _TINY <= abs(value) < _HUGE:
        return f"{value:.{_DIGITS - 1}e}"
    return f"{value:.{max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))}f}"


def _specs(measured: Measured) -> list[str]:
    return list(dict.fromkeys(r.spec for records in measured.values() for r in records))


def _record(records: Sequence[Record], spec: str) -> Record | None:
    return next((record for record in records if record.spec == spec), None)


def _names(records: Sequence[Record | None]) -> list[str]:
    return list(dict.fromkeys(name for r in records if r for name in r.figures))


def _line(spec: str, figure: str, records: Sequence[Record | None], *, is_first: bool) -> Line:
    figures = [r.figures.get(figure) if r else None for r in records]
    there = [f for f in figures if f is not None]
    counts = {NONE if f.count is None else str(f.count) for f in there}
    return Line(
        spec if is_first else "",
        figure,
        _unit(there[0]),
        tuple(write_estimate(f) if f else NONE for f in figures),
        frozenset(_best(figures)),
        counts.pop() if len(counts) == 1 else "differs",
        _time(records) if is_first else "",
    )


def _unit(figure: Estimate) -> str:
    arrow = {"higher": " ↑", "lower": " ↓"}.get(figure.better, "")
    return f"{figure.unit}{arrow}".strip()


def _best(figures: Sequence[Estimate | None]) -> Iterator[int]:
    """Places of the best value, where there are different ones to choose from."""
    values = {i: f.value for i, f in enumerate(figures) if f and math.isfinite(f.value)}
    better = {f.better for f in figures if f}
    if len(set(values.values())) < 2 or better not in ({"higher"}, {"lower"}):
        return
    best = max(values.values()) if better == {"higher"} else min(values.values())
    yield from (place for place, value in values.items() if value == best)


def _time(records: Sequence[Record | None]) -> str:
    """What was spent just now."""
    fresh = [r.seconds for r in records if r and not r.cached]
    return write_seconds(sum(fresh)) if fresh else CACHED
