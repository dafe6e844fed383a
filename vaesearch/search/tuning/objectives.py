"""Objectives that a space bears: figures that mean the same for all its points."""

from collections.abc import Iterable

from vaesearch import catalogue
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.space import Choice, Space


def check_objectives(config: TuneConfig, space: Space) -> None:
    """Refuse figures that some points of the space have not.

    What their likelihoods make impossible is found with the space itself.

    Args:
        config: of the search.
        space: that it draws from.

    Raises:
        InputError: a consistency that some points lack.
    """
    if "consistency" in config.objective:
        _check_densities(members("posterior", config, space))


def _check_densities(posteriors: Iterable[str]) -> None:
    for spec in posteriors:
        entry = catalogue.find("posteriors", spec)
        if entry in catalogue.POSTERIORS and "density" not in entry.traits:
            raise InputError(
                f"--objective consistency compares densities of z, and posterior {spec} has "
                "none, only a bound: leave one of the two out, or use iaf:4 in its place."
            )


def members(option: str, config: TuneConfig, space: Space) -> list[str]:
    """What an option can be in the space: one where the space says nothing of it."""
    for parameter in space.parameters:
        if parameter.name == option and isinstance(parameter.domain, Choice):
            return list(map(str, parameter.domain.options))
    return [str(space.constants.get(option, getattr(config, option)))]
