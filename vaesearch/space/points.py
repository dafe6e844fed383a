"""Points that stand for a whole space: every combination of choices, ranges at their ends."""

import math
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np

from vaesearch.space.core import Parameter, Space, default_of
from vaesearch.space.domains import Choice, Domain, Float, Value

Point = dict[str, Value]
MOST = 4000


def corners(space: Space, most: int = MOST) -> list[Point]:
    """All combinations of choices and of ends of ranges, conditions respected.

    Where they are more than ``most``, every pair of values with the others at their first, and
    random combinations (always the same) beside them.
    """
    found = list(_all(space, most + 1))
    return found if len(found) <= most else list(_some(space, most))


def typical(
    space: Space, settings: Mapping[str, Any], wanted: Mapping[str, Value] | None = None
) -> Point:
    """Defaults where there are some, else the middle of each range; but as ``wanted``."""
    point: Point = {}
    for parameter in space.parameters:
        if parameter.is_active(point):
            value = (wanted or {}).get(parameter.name)
            value = default_of(parameter, settings) if value is None else value
            point[parameter.name] = _middle(parameter.domain) if value is None else value
    return point


def around(space: Space, settings: Mapping[str, Any]) -> Iterator[tuple[str, Value, Point]]:
    """Each parameter at each of its choices or ends, and the others at what is typical."""
    for parameter in space.parameters:
        for value in values(parameter):
            wanted = {parameter.name: value}
            yield parameter.name, value, typical(space, settings, _needed(space, wanted) | wanted)


def _middle(domain: Domain) -> Value:
    if isinstance(domain, Choice):
        numbers = sorted(value for value in domain.options if not isinstance(value, str))
        return numbers[len(numbers) // 2] if numbers else domain.options[0]
    low, high = float(domain.low), float(domain.high)
    middle = math.sqrt(low * high) if domain.log else (low + high) / 2
    if isinstance(domain, Float):
        return middle
    return domain.low + round((middle - low) / domain.step) * domain.step


def values(parameter: Parameter) -> tuple[Value, ...]:
    """All choices, or both ends."""
    domain = parameter.domain
    return domain.options if isinstance(domain, Choice) else (domain.low, domain.high)


def _all(space: Space, most: int) -> Iterator[Point]:
    points: list[Point] = [{}]
    for parameter in space.parameters:
        points = [
            point | ({} if value is None else {parameter.name: value})
            for point in points
            for value in (values(parameter) if parameter.is_active(point) else (None,))
        ]
        if len(points) >= most:
            break
    yield from points[:most]


def _some(space: Space, most: int) -> Iterator[Point]:
    for pair in combinations(space.parameters, 2):
        for chosen in product(*map(values, pair)):
            wanted = dict(zip((p.name for p in pair), chosen, strict=True))
            yield _completed(space, _needed(space, wanted) | wanted)
    rng = np.random.default_rng(0)
    for _ in range(most // 2):
        drawn = {p.name: values(p)[rng.integers(len(values(p)))] for p in space.parameters}
        yield _completed(space, drawn)


def _needed(space: Space, wanted: Mapping[str, Value]) -> Point:
    """Values of other parameters without which those ``wanted`` would not be there."""
    needed: Point = {}
    for parameter in reversed(space.parameters):
        if parameter.name in wanted or parameter.name in needed:
            for name, allowed in parameter.when.items():
                needed.setdefault(name, allowed[0])
    return needed


def _completed(space: Space, wanted: Mapping[str, Value]) -> Point:
    point: Point = {}
    for parameter in space.parameters:
        if parameter.is_active(point):
            point[parameter.name] = wanted.get(parameter.name, values(parameter)[0])
    return point
