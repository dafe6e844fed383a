"""The points of a space that has finitely many."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from vaesearch.space import Choice, Domain, Float, Int, Parameter, Space, Value

MANY = 20_000  # points; more are not listed


def points(space: Space, spread: int | None = None) -> Iterator[dict[str, Value]]:
    """Every point of the space, its conditions met.

    Args:
        space: to list.
        spread: how many values to take of each range of numbers, evenly over it; None for all.

    Raises:
        ValueError: a range of fractional numbers, and no ``spread``.
    """
    yield from _from(space.parameters, {}, spread)


def _from(
    parameters: Sequence[Parameter], values: dict[str, Value], spread: int | None
) -> Iterator[dict[str, Value]]:
    if not parameters:
        yield dict(values)
        return
    first, *rest = parameters
    if not first.is_active(values):
        yield from _from(rest, values, spread)
        return
    for value in options(first.domain, spread):
        yield from _from(rest, values | {first.name: value}, spread)


def options(domain: Domain, spread: int | None = None) -> list[Value]:
    """The values of a domain, or ``spread`` of them, evenly so.

    >>> options(Int(2, 64, log=True), 6)
    [2, 4, 8, 16, 32, 64]
    """
    match domain:
        case Choice(choices):
            return list(choices)
        case Int(low, high, log, step):
            whole = list(range(low, high + 1, step))
            if spread is None or len(whole) <= spread:
                return list(whole)
            even = _even(low, high, log, spread)
            nearest = {low + step * round((x - low) / step) for x in even}
            return [n for n in whole if n in nearest]
        case Float(low, high, log):
            if spread is None:
                raise ValueError("a range of fractional numbers has no end of values")
            return list(_even(low, high, log, spread))


def _even(low: float, high: float, log: bool, count: int) -> list[float]:
    if count == 1:
        return [math.sqrt(low * high) if log else (low + high) / 2]
    inner = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    return [float(low), *map(float, inner[1:-1]), float(high)]


def count(space: Space) -> int | None:
    """How many points there are; None if they are more than :data:`MANY`, or without end."""
    try:
        found = sum(1 for _ in islice(points(space), MANY + 1))
    except ValueError:
        return None
    return found if found <= MANY else None
