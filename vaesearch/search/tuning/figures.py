"""The figures that a search optimises, of a trial as it stands."""

from collections.abc import Sequence

from vaesearch import catalogue
from vaesearch.records import EpochReport
from vaesearch.search.state import ArmState


def figures(
    arm: ArmState, names: Sequence[str], epoch: int | None = None
) -> tuple[float, ...] | None:
    """The objectives ``names`` of an arm, in their own units, whichever way is better.

    They are those of one checkpoint: of the epoch with the highest reward.

    Args:
        arm: a candidate.
        names: of objectives; what costs something is known before any epoch.
        epoch: the last one that counts; all by default.

    Returns:
        One value per name; None where no epoch counts, or where one of the figures was not
        measured.
    """
    costs = {"parameters": arm.parameters, "flops": arm.flops, "memory": arm.memory}
    best = arm.best if epoch is None else _best_of(arm.reports[:epoch])
    if best is None:
        return None
    known = {**best.metrics, **{name: value for name, value in costs.items() if value is not None}}
    if any(name not in known for name in names):
        return None
    return tuple(float(known[name]) for name in names)


def _best_of(reports: Sequence[EpochReport]) -> EpochReport | None:
    return max(reports, key=lambda r: r.reward, default=None)


def signs(names: Sequence[str]) -> tuple[int, ...]:
    """1 for each objective where higher is better, -1 where lower is."""
    return tuple(
        1 if "higher" in catalogue.find("objectives", name).traits else -1 for name in names
    )
