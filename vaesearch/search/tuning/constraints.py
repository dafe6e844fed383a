"""What a candidate may cost, and whether it does, before it is trained."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vaesearch.errors import InputError
from vaesearch.events import ArmAdded
from vaesearch.records import TrialSettings

_COUNTS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BYTES = {"": 1.0, "B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
          "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}  # fmt: skip
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "min": 60.0}
UNITS: dict[str, Mapping[str, float]] = {
    "parameters": _COUNTS, "flops": _COUNTS, "memory": _BYTES, "seconds": _SECONDS,
}  # fmt: skip
_PATTERN = re.compile(r"\s*(\w+)\s*<=\s*([-+.\deE]*\d\.?)\s*([A-Za-z]*)\s*")


class BrokenConstraintError(InputError):
    """A candidate costs more than it may; ``excess`` is by what share, for each constraint."""

    def __init__(self, message: str, excess: dict[str, float]) -> None:
        super().__init__(message)
        self.excess = excess


@dataclass(frozen=True)
class Constraint:
    """``name`` must be at most ``limit``; ``text`` is how a person wrote it."""

    name: str
    limit: float
    text: str


def parse_constraints(texts: Sequence[str]) -> tuple[Constraint, ...]:
    """Constraints as on the command line.

    >>> parse_constraints(["memory<=2GB"])
    (Constraint(name='memory', limit=2000000000.0, text='memory<=2GB'),)

    Raises:
        InputError: not of the form ``NAME<=NUMBER[UNIT]``, an unknown name or unit, a number
            that is not above 0, or a name twice.
    """
    found: dict[str, Constraint] = {}
    for text in texts:
        constraint = _parse(text)
        if constraint.name in found:
            raise InputError(f"--constraint: {constraint.name} is given twice.")
        found[constraint.name] = constraint
    return tuple(found.values())


def _parse(text: str) -> Constraint:
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InputError(
            f"--constraint {text!r}: write NAME<=NUMBER, such as parameters<=1e6, flops<=100M, "
            "memory<=2GB or 'seconds<=5' (in quotes, or the shell takes < for a file)."
        )
    name, number, unit = match.groups()
    if name not in UNITS:
        raise InputError(f"--constraint {text!r}: there is no {name}, but {', '.join(UNITS)}.")
    if unit not in UNITS[name]:
        raise InputError(
            f"--constraint {text!r}: the units of {name} are "
            f"{', '.join(filter(None, UNITS[name]))}, not {unit!r}."
        )
    try:
        limit = float(number) * UNITS[name][unit]
    except ValueError:
        raise InputError(f"--constraint {text!r}: {number!r} is no number.") from None
    if not (math.isfinite(limit) and limit > 0):
        raise InputError(f"--constraint {text!r}: the limit must be above 0.")
    return Constraint(name, limit, text.replace(" ", ""))


def check(
    constraints: Sequence[Constraint],
    added: ArmAdded,
    seconds: Callable[[TrialSettings], float],
) -> None:
    """Refuse a candidate that costs too much.

    Args:
        constraints: of the search.
        added: its opening line.
        seconds: that an epoch of it takes; asked only where a constraint needs it and no other
            is broken, for it takes time itself.

    Raises:
        BrokenConstraintError: says which constraints, and by how much.
        InputError: a figure cannot be known.
    """
    broken: dict[Constraint, float] = {}
    for constraint in sorted(constraints, key=lambda c: c.name == "seconds"):
        if constraint.name != "seconds":
            value = getattr(added, constraint.name)
        elif broken:
            continue
        else:
            value = seconds(TrialSettings(**added.settings))
        if value is None:
            raise InputError(f"{constraint.name} of this model cannot be counted.")
        if value > constraint.limit:
            broken[constraint] = value
    if broken:
        parts = (f"{c.text} ({value:.3g})" for c, value in broken.items())
        excess = {c.name: value / c.limit - 1 for c, value in broken.items()}
        raise BrokenConstraintError(f"breaks {', '.join(parts)}", excess)


def why_all_refused(
    constraints: Sequence[Constraint], excesses: Sequence[Mapping[str, float]], reason: str
) -> str:
    """What to tell a person after many refusals in a row.

    Args:
        constraints: of the search.
        excesses: of the refused trials.
        reason: of the last refusal.
    """
    counts = {c: sum(c.name in excess for excess in excesses) for c in constraints}
    worst = max(counts, key=lambda c: counts[c], default=None)
    if worst is None or not counts[worst]:
        return f"{len(excesses)} proposals in a row were refused, the last one so: {reason}"
    least = min(excess[worst.name] for excess in excesses if worst.name in excess)
    return (
        f"{len(excesses)} proposals in a row were refused, {counts[worst]} of them by "
        f"--constraint {worst.text}: the smallest figure among those was "
        f"{worst.limit * (1 + least):.4g}. Raise that limit, or let the space hold smaller models."
    )
