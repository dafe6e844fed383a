"""Checks of the numbers that are given to a member of an axis, as 5 in ``iwae:5``."""

import math
from typing import Any

from vaesearch.errors import InputError


def whole(argument: str, value: Any, least: int = 1) -> int:
    """``value``, if it is a whole number of at least ``least``.

    >>> whole("samples of iwae", 5)
    5

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{argument} must be a whole number, at least {least}, not {value!r}.")
    return value


def number(argument: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    """``value``, if it is a finite number from ``low`` to ``high``.

    Raises:
        InputError: it is not.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise InputError(f"{argument} must be a number, {allowed}, not {value!r}.")
    return float(value)
