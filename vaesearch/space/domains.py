"""What a parameter may be: a range of numbers, or one of some choices."""

import math
from dataclasses import dataclass
from typing import Any

Value = float | int | str


@dataclass(frozen=True)
class Float:
    """Any number from ``low`` to ``high``; with ``log``, evenly so in its logarithm."""

    low: float
    high: float
    log: bool = False

    def accept(self, value: Any) -> Value | None:
        """``value`` as this domain writes it (``1`` as 1.0, ``"1e-3"`` as 0.001), or None."""
        number = as_number(value)
        inside = number is not None and self.low <= number <= self.high
        return float(number) if number is not None and inside else None

    def text(self) -> str:
        """As on the command line: ``0.0001..0.01:log``."""
        return f"{self.low!r}..{self.high!r}{':log' * self.log}"


@dataclass(frozen=True)
class Int:
    """``low``, ``low + step``, ... up to ``high``; with ``log``, evenly so in its logarithm."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    def accept(self, value: Any) -> Value | None:
        """``value`` as a whole number of this domain (``16.0`` and ``"16"`` as 16), or None."""
        number = as_number(value)
        if number is None or number != int(number) or not self.low <= number <= self.high:
            return None
        return int(number) if (int(number) - self.low) % self.step == 0 else None

    def text(self) -> str:
        """As on the command line: ``2..64:log``, ``2..64:step=2``."""
        step = f":step={self.step}" if self.step != 1 else ""
        return f"{self.low}..{self.high}{':log' * self.log}{step}"


@dataclass(frozen=True)
class Choice:
    """One of the options; their order means nothing."""

    options: tuple[Value, ...]

    def accept(self, value: Any) -> Value | None:
        """The option that ``value`` is (``"16"`` is 16 where that is one), or None."""
        if isinstance(value, bool):
            return None
        number = as_number(value)
        for option in self.options:
            same = option == value or str(option) == str(value)
            if same or (not isinstance(option, str) and option == number):
                return option
        return None

    def text(self) -> str:
        """As on the command line: ``[a, b]``."""
        return f"[{', '.join(map(str, self.options))}]"


Domain = Float | Int | Choice
KINDS: dict[str, type[Domain]] = {"float": Float, "int": Int, "choice": Choice}


def as_number(value: Any) -> int | float | None:
    """A finite number, also where it is written as text (YAML reads ``1e-3`` so), or None."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                value = kind(value)
                break
            except ValueError:
                continue
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None
