"""Which number of components to try next, and which is the best; pure functions.

Few numbers are all tried. Of many, first those are that double from the least to the greatest.
Then a sampler of Optuna's proposes from the scores so far. Where the score is the distance of
pictures, which takes long, the mixtures that double are only fitted: their BIC says where to
begin with pictures.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from vaesearch.mixtures.asking import Asked
from vaesearch.search.mixtures import Fit

FIGURES = {"loglik": ("loglik", 1.0), "bic": ("bic", -1.0), "fid": ("fid", -1.0)}

Make = Callable[[int, bool], Fit]  # fits so many components; with pictures, or without


def carry_out(asked: Asked, seed: int, make: Make) -> dict[int, Fit]:
    """The fits that were scored, by number of components, in the order in which they were.

    Args:
        asked: what may be tried.
        seed: of the sampler.
        make: gives the fit of so many components; asked again for the same, it must give it again.
    """
    pictured = asked.by == "fid"
    if len(asked.values) <= asked.trials:
        return {value: make(value, pictured) for value in asked.values}
    sweep = doubling(asked.values)
    if pictured:
        sweep = around_best({value: make(value, False) for value in sweep})
    scored: dict[int, Fit] = {}
    for value in _thinned(sweep, asked.trials):
        scored[value] = make(value, pictured)
    while len(scored) < asked.trials:
        value = _proposed(asked, seed, scored)
        scored[value] = make(value, pictured)
    return scored


def doubling(values: Sequence[int]) -> list[int]:
    """The least, those nearest to its doubles, and the greatest; each once.

    >>> doubling(range(1, 21))
    [1, 2, 4, 8, 16, 20]
    """
    wanted, found = values[0], []
    while wanted < values[-1]:
        found.append(min(values, key=lambda value: abs(value - wanted)))
        wanted *= 2
    return list(dict.fromkeys([*found, values[-1]]))


def around_best(sweep: Mapping[int, Fit]) -> list[int]:
    """The number of least BIC, and its neighbours in the sweep; all where no fit succeeded."""
    values = sorted(sweep)
    sound = [value for value in values if not sweep[value].failed]
    if not sound:
        return values
    best = min(sound, key=lambda value: sweep[value].figures["bic"].value)
    place = values.index(best)
    return [best, *values[max(0, place - 1) : place], *values[place + 1 : place + 2]]


def score(fit: Fit, by: str) -> float | None:
    """The score of a fit, higher is better; None where there is none."""
    name, sign = FIGURES[by]
    figure = None if fit.failed else fit.figures.get(name)
    return sign * figure.value if figure and math.isfinite(figure.value) else None


def best_of(fits: Mapping[int, Fit], by: str) -> tuple[int, int | None] | None:
    """The best number of components, and the least within one standard error of it.

    The error is that of the best score (Breiman et al. 1984); BIC has none. None where every fit
    failed.
    """
    scores = {
        value: found for value in sorted(fits) if (found := score(fits[value], by)) is not None
    }
    if not scores:
        return None
    best = max(scores, key=lambda value: scores[value])  # the least of equals
    error = fits[best].figures[FIGURES[by][0]].error
    if error is None:
        return best, None
    return best, next(value for value in scores if scores[value] >= scores[best] - error)


def _thinned(sweep: Sequence[int], most: int) -> Sequence[int]:
    """At most so many of them, from end to end."""
    if len(sweep) <= most:
        return sweep
    if most == 1:
        return sweep[:1]
    last = len(sweep) - 1
    return [sweep[round(place * last / (most - 1))] for place in range(most)]


def _proposed(asked: Asked, seed: int, scored: Mapping[int, Fit]) -> int:
    """The number nearest to the sampler's proposal that was not tried before."""
    # Here, for a search that tunes nothing needs no Optuna.
    from vaesearch.search.tuning.components import propose_number

    known = [(value, score(fit, asked.by)) for value, fit in scored.items()]
    wanted = propose_number(asked.values[0], asked.values[-1], seed, known, log=asked.log)
    left = [value for value in asked.values if value not in scored]
    return min(left, key=lambda value: abs(math.log(value / wanted)))
