"""What users give to a scheduler of ours, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vaesearch import catalogue
from vaesearch.bandits.common import check_integer
from vaesearch.bandits.core import Budget, Policy
from vaesearch.errors import InputError
from vaesearch.records import EpochReport


@dataclass(frozen=True)
class Measure:
    """What a result is judged by.

    Attributes:
        metric: its name in a result.
        mode: ``min`` or ``max``.
        time_attr: what numbers a trial's epochs 1, 2, 3, ...
    """

    metric: str | None
    mode: str | None
    time_attr: str

    def __post_init__(self) -> None:
        if self.mode not in (None, "min", "max"):
            raise InputError(f"mode must be 'min' or 'max', not {self.mode!r}")

    def completed(self, metric: str | None, mode: str | None) -> "Measure | None":
        """With what was given elsewhere; None where that says something else.

        Raises:
            InputError: there is still no metric or no mode.
        """
        for given, own in ((metric, self.metric), (mode, self.mode)):
            if given and own and given != own:
                return None
        whole = Measure(self.metric or metric, self.mode or mode, self.time_attr)
        if not whole.metric or not whole.mode:
            raise InputError(
                "BanditScheduler needs a metric and a mode, 'min' or 'max': pass them to it or "
                "to tune.TuneConfig."
            )
        return whole

    def report(self, trial: str, result: Mapping[str, Any]) -> EpochReport:
        """The epoch that a result is about; its reward is "higher is better".

        Raises:
            InputError: the metric or the number of the epoch is missing or no number.
        """
        metric, epoch = (
            _number(trial, result, str(name)) for name in (self.metric, self.time_attr)
        )
        reward = metric if self.mode == "max" else -metric
        number = int(epoch) if epoch.is_integer() else -1  # never the one that is due
        seconds = float(result.get("time_this_iter_s", 0.0))
        return EpochReport(number, reward, seconds, {str(self.metric): metric})


def _number(trial: str, result: Mapping[str, Any], name: str) -> float:
    try:
        return float(result[name])
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"trial {trial} reported {name}={result.get(name)!r}; it has to be a number in every "
            f"result. This one has {', '.join(result)}."
        ) from None


def policy_of(policy: str | Policy) -> Policy:
    """The policy that a spec of the catalogue names, or the object itself.

    Raises:
        InputError: unknown name or option, or an object that is no policy.
    """
    if isinstance(policy, str):
        built: Policy = catalogue.build("policies", policy)
        return built
    if not callable(getattr(policy, "choose", None)):
        raise InputError(f"{policy!r} is not a policy: it has no method choose(history, rng).")
    return policy


def budget_of(
    epochs: int | None, seconds: float | None, max_t: int | None, workers: int
) -> Budget:
    """A budget.

    Raises:
        InputError: there is none, or a number is out of range.
    """
    if epochs is None and seconds is None:
        raise InputError("BanditScheduler needs a budget: epochs=100, or seconds=3600.")
    given = {"epochs": epochs, "max_t": max_t, "workers": workers}
    check_integer(1, **{name: n for name, n in given.items() if n is not None})
    if seconds is not None and not seconds > 0:
        raise InputError(f"seconds must be above 0, not {seconds!r}")
    return Budget(epochs, seconds, max_t, workers)
