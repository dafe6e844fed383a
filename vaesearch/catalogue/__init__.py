"""Every axis that a search can vary, as plain data: one line adds a member.

A row names the class that implements it as ``module:attribute``, which is imported only when it is
built. So ``vaesearch list`` needs neither torch nor Ray. Where a name is asked for, a user's own
``module:Class`` can be given instead (:mod:`vaesearch.specs`).

On the command line a member is written ``name``, ``name:argument`` or ``name:key=value,...``, for
example ``gaussian:optimal``, ``gaussian:0.1``, ``epsilon-greedy:epsilon=0.1`` or
``mypackage.policies:Mine:window=3``.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from vaesearch.catalogue.architectures import DECODERS, ENCODERS
from vaesearch.catalogue.datasets import DATASETS
from vaesearch.catalogue.entry import Entry
from vaesearch.catalogue.extractors import EXTRACTORS
from vaesearch.catalogue.latents import POSTERIORS, PRIORS
from vaesearch.catalogue.likelihoods import LIKELIHOODS
from vaesearch.catalogue.metrics import METRICS
from vaesearch.catalogue.objectives import ANNEALINGS, BOUNDS, REGULARIZERS, REWARDS
from vaesearch.catalogue.policies import POLICIES
from vaesearch.catalogue.samplers import OBJECTIVES, SAMPLERS
from vaesearch.errors import InputError, unknown_name
from vaesearch.specs import build_own, parse_spec, split_own

__all__ = [
    "ANNEALINGS", "AXES", "BOUNDS", "DATASETS", "DECODERS", "ENCODERS", "EXTRACTORS",
    "LIKELIHOODS", "METRICS", "OBJECTIVES", "OPEN_AXES", "POLICIES", "POSTERIORS", "PRIORS",
    "REGULARIZERS", "REWARDS", "SAMPLERS", "Entry", "build", "find",
]  # fmt: skip

AXES: dict[str, tuple[Entry, ...]] = {
    "decoders": DECODERS,
    "encoders": ENCODERS,
    "posteriors": POSTERIORS,
    "priors": PRIORS,
    "likelihoods": LIKELIHOODS,
    "bounds": BOUNDS,
    "regularizers": REGULARIZERS,
    "annealings": ANNEALINGS,
    "policies": POLICIES,
    "datasets": DATASETS,
    "rewards": REWARDS,
    "samplers": SAMPLERS,
    "objectives": OBJECTIVES,
    "metrics": METRICS,
    "extractors": EXTRACTORS,
}
# Members of these are made by calling a class, so that a user's own will do as well.
OPEN_AXES = (
    "decoders", "encoders", "posteriors", "priors", "likelihoods", "regularizers", "policies",
    "metrics", "extractors",
)  # fmt: skip
_SINGULAR = {axis: axis[:-1] for axis in AXES} | {"policies": "policy"}


def find(axis: str, spec: str) -> Entry:
    """The entry that ``spec`` names; a user's own is not imported yet.

    Raises:
        InputError: no member of the axis has that name; the nearest one is suggested.
    """
    name = parse_spec(spec)[0]
    for entry in AXES[axis]:
        if entry.name == name:
            return entry
    own = split_own(spec) if axis in OPEN_AXES else None
    if own:
        return Entry(own[0], own[0], "your own")
    raise unknown_name(_SINGULAR[axis], name, [e.name for e in AXES[axis]])


def build(axis: str, spec: str, **context: Any) -> Any:
    """Build the member that ``spec`` describes; ``context`` comes from the caller (sizes).

    Raises:
        InputError: unknown name, arguments that the member does not take, or something of a
            user's own that cannot be imported or made, or is no policy.
    """
    entry = find(axis, spec)
    if entry not in AXES[axis]:
        return build_own(_SINGULAR[axis], spec, context, [e.name for e in AXES[axis]])
    _, positional, keywords = parse_spec(spec)
    factory = entry.load()
    try:
        inspect.signature(factory).bind(*positional, **context, **keywords)
    except TypeError as error:
        if not (positional or keywords):
            raise
        known = _arguments(factory, context)
        allowed = f"takes {', '.join(known)}" if known else "takes no arguments"
        raise InputError(f"{_SINGULAR[axis]} {spec!r}: {entry.name} {allowed}.") from error
    try:
        return factory(*positional, **context, **keywords)
    except TypeError as error:
        if not (positional or keywords):
            raise
        raise InputError(f"{_SINGULAR[axis]} {spec!r}: {error}") from error


def _arguments(factory: Any, context: Mapping[str, Any]) -> list[str]:
    """What a spec may set: the arguments that neither the row nor the caller gives."""
    bound = {*context, *getattr(factory, "keywords", {})}
    return [name for name in inspect.signature(factory).parameters if name not in bound]
