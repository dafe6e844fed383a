"""Optuna's samplers by name, each made anew for every proposal with a seed of its own."""

import optuna
from optuna.samplers import BaseSampler


def tpe(*, seed: int, conditional: bool) -> BaseSampler:
    """Tree-structured Parzen estimator: joint, and told to keep away from trials in flight."""
    return optuna.samplers.TPESampler(
        multivariate=True, group=conditional, constant_liar=True, seed=seed
    )


def random(*, seed: int, conditional: bool) -> BaseSampler:
    """Independent draws."""
    return optuna.samplers.RandomSampler(seed=seed)
