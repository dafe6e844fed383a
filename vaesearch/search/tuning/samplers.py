"""Optuna's samplers by name, each made anew for every proposal with a seed of its own.

What differs between them is told by a :class:`Recipe`; a new one is a function here and a row in
``vaesearch/catalogue/samplers.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from optuna import samplers
from optuna.samplers import BaseSampler

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.search.tuning.points import MANY, points
from vaesearch.seeding import numpy_generator
from vaesearch.space import Choice, Float, Space, Value

TOLD = ("rank", "current", "projected")


@dataclass(frozen=True)
class Recipe:
    """A sampler to be made.

    Attributes:
        make: of a seed; None where there is nothing to learn and ``fixed`` has all proposals.
        startup: trials of a group before it is learnt from by itself.
        told: of trials that were given up or wait, how far they got (``rank``, Optuna's own
            rule: those of more epochs rank higher), the figures that they have (``current``), or
            what they would be worth at the cap (``projected``).
        constrained: it keeps away from refused trials by itself.
        stateful: it keeps a state beside the trials.
        fixed: all proposals of each group, in order.
        note: what a person should know.
    """

    make: Callable[[int], BaseSampler] | None
    startup: int = 0
    told: str = "projected"
    constrained: bool = False
    stateful: bool = False
    fixed: tuple[dict[str, Value], ...] = ()
    note: str = ""


def tpe(
    *,
    space: Space,
    seed: int,
    n_startup_trials: int = 10,
    n_ei_candidates: int = 24,
    told: str = "rank",
) -> Recipe:
    """Tree-structured Parzen estimator: joint, and told to keep away from trials in flight."""
    startup = whole("n_startup_trials of tpe", n_startup_trials)
    make = partial(
        samplers.TPESampler,
        n_startup_trials=startup,
        n_ei_candidates=whole("n_ei_candidates of tpe", n_ei_candidates),
        multivariate=True,
        group=any(p.when for p in space.parameters),
        constant_liar=True,
    )
    if told not in TOLD:
        raise InputError(f"told of tpe must be {', '.join(TOLD)}, not {told!r}.")
    return Recipe(lambda seed: make(seed=seed), startup, told, constrained=True)


def gp(*, space: Space, seed: int, n_startup_trials: int = 10) -> Recipe:
    """Gaussian process with log expected improvement, or expected hypervolume."""
    startup = whole("n_startup_trials of gp", n_startup_trials)
    make = partial(samplers.GPSampler, n_startup_trials=startup, warn_independent_sampling=False)
    note = _at_random("gp", [p.name for p in space.parameters if p.when])
    return Recipe(lambda seed: make(seed=seed), startup, note=note)


def cmaes(
    *, space: Space, seed: int, n_startup_trials: int = 1, popsize: int | None = None
) -> Recipe:
    """CMA-ES; conditional parameters and choices are drawn at random."""
    startup = whole("n_startup_trials of cmaes", n_startup_trials)
    loose = [p.name for p in space.parameters if p.when or isinstance(p.domain, Choice)]
    if len(space.parameters) - len(loose) < 2:
        raise InputError(
            "sampler cmaes needs two ranges of numbers without a condition, or more; use tpe."
        )
    make = partial(
        samplers.CmaEsSampler,
        n_startup_trials=startup,
        popsize=popsize and whole("popsize of cmaes", popsize, 4),
        warn_independent_sampling=False,
    )
    note = _at_random("cmaes", loose)
    return Recipe(lambda seed: make(seed=seed), startup, stateful=True, note=note)


def random(*, space: Space, seed: int) -> Recipe:
    """Independent draws."""
    return Recipe(lambda seed: samplers.RandomSampler(seed=seed), constrained=True)


def nsga2(*, space: Space, seed: int, population_size: int = 20) -> Recipe:
    """NSGA-II; conditional parameters are drawn at random."""
    size = whole("population_size of nsga2", population_size, 2)
    note = _at_random("nsga2", [p.name for p in space.parameters if p.when])
    return Recipe(
        lambda seed: samplers.NSGAIISampler(population_size=size, seed=seed),
        stateful=True,
        note=note,
    )


def grid(points_per_range: int | None = None, *, space: Space, seed: int) -> Recipe:
    """All points in random order.

    Args:
        points_per_range: how many values to take of each range of numbers; None for all.
        space: to list.
        seed: of the order.
    """
    if points_per_range is not None:
        whole("points of grid", points_per_range)
    loose = [p.name for p in space.parameters if isinstance(p.domain, Float)]
    if loose and points_per_range is None:
        raise InputError(
            f"sampler grid: {', '.join(loose)} can be any number in a range; say how many to "
            "take of each range, as in grid:5."
        )
    found = []
    for point in points(space, points_per_range):
        found.append(point)
        if len(found) > MANY:
            raise InputError(
                f"sampler grid: the space has more than {MANY:,} points; take fewer of each "
                "range, as in grid:3, or use --sampler random."
            )
    order = numpy_generator(seed, "grid").permutation(len(found))
    return Recipe(None, fixed=tuple(found[i] for i in order))


def _at_random(sampler: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"sampler {sampler} draws {', '.join(names)} at random: it cannot model them."
