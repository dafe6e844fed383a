"""The next whole number to try, such as a number of components; a pure function."""

from collections.abc import Sequence

import optuna
from optuna.distributions import IntDistribution
from optuna.samplers import TPESampler
from optuna.trial import TrialState, create_trial

from vaesearch.search.tuning.quiet import quiet
from vaesearch.seeding import derive

NAME = "components"


def propose_number(
    low: int, high: int, seed: int, known: Sequence[tuple[int, float | None]], *, log: bool
) -> int:
    """A number from ``low`` to ``high`` that may well score higher than those known.

    Args:
        low: the least.
        high: the greatest.
        seed: the same one gives the same number.
        known: numbers in the order in which they were tried, each with its score (higher is
            better), or None where it failed.
        log: whether doubling matters, and not adding.
    """
    domain = IntDistribution(low, high, log=log)
    sampler = TPESampler(n_startup_trials=1, seed=derive(seed, NAME, len(known)) % 2**32)
    with quiet():
        study = optuna.create_study(sampler=sampler, direction="maximize")
    study.add_trials(
        [
            create_trial(
                state=TrialState.FAIL if score is None else TrialState.COMPLETE,
                value=score,
                params={NAME: number},
                distributions={NAME: domain},
            )
            for number, score in known
        ]
    )
    return study.ask().suggest_int(NAME, low, high, log=log)
