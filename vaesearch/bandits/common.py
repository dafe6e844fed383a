"""What several policies share: a canonical order of arms, ties, first pulls and bounds."""

from collections.abc import Iterable, Mapping

from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.errors import InputError


def by_name(arms: Iterable[ArmHistory]) -> list[ArmHistory]:
    """The arms in the one order in which random numbers are dealt out.

    Names are unique, so the order in which arms joined cannot change what is drawn for whom.
    """
    return sorted(arms, key=lambda arm: arm.name)


def best_arm(arms: Iterable[ArmHistory], scores: Mapping[str, float]) -> ArmHistory:
    """The arm with the highest score; of equals the one with fewest epochs, then by name."""
    return min(arms, key=lambda arm: (-scores[arm.name], arm.epochs, arm.name))


def fewest_epochs(arms: Iterable[ArmHistory]) -> ArmHistory:
    """The arm that is least far, of equals the first by name."""
    return min(arms, key=lambda arm: (arm.epochs, arm.name))


def first_pulls(history: History, minimum: int, chunk: int) -> Decision | None:
    """A pull for the arm that is least far below ``minimum`` epochs; None once all are there."""
    arm = fewest_epochs(history.candidates)
    if arm.epochs >= minimum:
        return None
    return Decision(arm.name, f"first look: epoch {arm.epochs + 1} of {minimum}", chunk)


def check_at_least(least: float, **constants: float) -> None:
    """Refuse a constant of a policy that is below ``least``.

    Raises:
        InputError: naming the constant, what it was, and what is allowed.
    """
    for name, value in constants.items():
        # Written so that NaN is refused as well; text comes from the command line.
        if isinstance(value, str) or not value >= least:
            raise InputError(f"{name} must be at least {least:g}, not {value!r}")


def check_integer(least: int, **constants: int) -> None:
    """Refuse a constant of a policy that is not an integer of at least ``least``.

    Raises:
        InputError: naming the constant, what it was, and what is allowed.
    """
    for name, value in constants.items():
        if not isinstance(value, int) or value < least:
            raise InputError(f"{name} must be an integer of at least {least}, not {value!r}")


def check_between(least: float, most: float, **constants: float) -> None:
    """Refuse a constant of a policy that is not between ``least`` and ``most``.

    Raises:
        InputError: naming the constant, what it was, and what is allowed.
    """
    for name, value in constants.items():
        if isinstance(value, str) or not least <= value <= most:
            raise InputError(f"{name} must be between {least:g} and {most:g}, not {value!r}")


def check_fraction(**constants: float) -> None:
    """Refuse a constant of a policy that is not a fraction between 0 and 1.

    Raises:
        InputError: naming the constant, what it was, and what is allowed.
    """
    check_between(0, 1, **constants)
