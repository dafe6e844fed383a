"""Objectives that a space bears: figures that mean the same for all its points."""

from collections.abc import Iterable

from vaesearch import catalogue
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.space import Choice, Space


def check_objectives(config: TuneConfig, space: Space) -> None:
    """Refuse figures by which points of the space cannot be compared.

    Args:
        config: of the search.
        space: that it draws from.

    Raises:
        InputError: nats of several likelihoods, bits/dim or a consistency that some points lack.
    """
    likelihoods = members("likelihood", config, space)
    if len(likelihoods) > 1:
        nats = [o for o in config.objective if o in ("elbo", "reconstruction")]
        if nats:
            raise InputError(
                f"--objective {nats[0]} is in nats, which differ in meaning between the "
                f"likelihoods of the space ({', '.join(likelihoods)}): use --objective bpd."
            )
    if "bpd" in config.objective:
        lacking = [x for x in likelihoods if "relaxed" in _traits("likelihoods", x)]
        if lacking:
            raise InputError(
                f"--objective bpd: {lacking[0]}, a likelihood of the space, is no probability of "
                "8-bit pixels and has no bits/dim; leave it out, or use --objective elbo with it "
                "alone."
            )
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


def _traits(axis: str, spec: str) -> frozenset[str]:
    return catalogue.find(axis, spec).traits
