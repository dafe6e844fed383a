"""A space in Optuna's words."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from vaesearch.space import Choice, Float, Int, Parameter, Space, Value


def ask(trial: Trial, space: Space) -> dict[str, Value]:
    """The values that ``trial`` suggests for the active parameters, in the order of the space."""
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.is_active(values):
            values[parameter.name] = _suggest(trial, parameter)
    return values


def _suggest(trial: Trial, parameter: Parameter) -> Value:
    name = parameter.name
    match parameter.domain:
        case Float(low, high, log):
            return trial.suggest_float(name, low, high, log=log)
        case Int(low, high, log, step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case Choice(options):
            chosen: Value = trial.suggest_categorical(name, options)  # type: ignore[assignment]
            return chosen


def distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's name for the domain of a parameter."""
    match parameter.domain:
        case Float(low, high, log):
            return FloatDistribution(low, high, log)
        case Int(low, high, log, step):
            return IntDistribution(low, high, log, step)
        case Choice(options):
            return CategoricalDistribution(options)
