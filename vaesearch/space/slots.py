"""What a space may name: options of a trial, arguments of members, and the components."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from vaesearch import catalogue
from vaesearch.arguments import whole
from vaesearch.config import Config
from vaesearch.errors import InputError, unknown_name
from vaesearch.records import TrialSettings
from vaesearch.space.core import split_name
from vaesearch.space.domains import Value
from vaesearch.specs import load_own, parse_spec

COMPONENTS = "gmm_components"
OPTIONS = {f.name: str(getattr(f.type, "__name__", f.type)) for f in fields(TrialSettings)}
AXES = {
    "decoder": "decoders",
    "encoder": "encoders",
    "posterior": "posteriors",
    "prior": "priors",
    "likelihood": "likelihoods",
    "bound": "bounds",
    "regularizer": "regularizers",
    "annealing": "annealings",
}
_KINDS = {int: "int", float: "float", str: "str"}
_FROM_OPTIONS = {"width"}  # an argument of networks that has an option of its own


@dataclass(frozen=True)
class Slot:
    """Something that can be set.

    Attributes:
        name: as in a space.
        kind: ``int``, ``float`` or ``str``; None where it may be any of them.
        check: raises an InputError for a value that it cannot have.
        default: of an argument; that of an option depends on the configuration.
    """

    name: str
    kind: str | None
    check: Callable[[Value], None]
    default: Value | None = None


def canonical(name: str) -> str:
    """``name`` with ``_`` for ``-``, but for the names of members.

    >>> canonical("latent-dim"), canonical("regularizer.free-bits.nats")
    ('latent_dim', 'regularizer.free-bits.nats')
    """
    option, member, argument = split_name(name)
    parts = (option.replace("-", "_"), member, argument.replace("-", "_"))
    return ".".join(filter(None, parts))


def slot(name: str) -> Slot:
    """What ``name`` stands for.

    Raises:
        InputError: nothing that can be set; the nearest name that can is suggested.
    """
    if name == COMPONENTS:
        return Slot(name, "int", lambda value: _check_components(value))
    if "." in name:
        return _argument(name)
    if name not in OPTIONS:
        raise unknown_name("parameter", name, [*OPTIONS, COMPONENTS])
    return Slot(name, OPTIONS[name], lambda value: _check_option(name, value))


def arguments(axis: str, member: str) -> dict[str, inspect.Parameter] | None:
    """What can be set of a member by name; None where it takes any name.

    Raises:
        InputError: no such member, or a user's own that cannot be imported.
    """
    entry = catalogue.find(axis, member)
    is_ours = entry in catalogue.AXES[axis]
    found = inspect.signature(entry.load() if is_ours else load_own(entry.target)).parameters
    kinds = {p.kind for p in found.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        return None
    return {name: p for name, p in found.items() if _can_be_set(name, p, {*entry.options})}


def _can_be_set(name: str, parameter: inspect.Parameter, fixed: set[str]) -> bool:
    is_plain = parameter.default is None or isinstance(parameter.default, (int, float, str))
    has_default = parameter.default is not inspect.Parameter.empty
    return has_default and is_plain and name not in fixed | _FROM_OPTIONS


def _argument(name: str) -> Slot:
    option, member, argument = split_name(name)
    if option not in AXES:
        raise unknown_name(f"axis in {name}", option, AXES)
    if not member or not argument:
        raise InputError(f"{name} must be OPTION.MEMBER.ARGUMENT, as posterior.planar.steps.")
    entry = catalogue.find(AXES[option], member)
    if entry.name != member:
        raise InputError(f"{member} has its arguments already: write {entry.name} alone.")
    known = arguments(AXES[option], member)
    if known is None:
        return Slot(name, None, lambda value: None)
    if argument not in known:
        if not known:
            raise InputError(f"{option} {member} takes no arguments, so no {argument!r}.")
        raise unknown_name(f"argument of {option} {member}", argument, known)
    found = known[argument]
    kind = _KINDS.get(found.annotation)
    default = found.default if isinstance(found.default, (int, float, str)) else None
    return Slot(name, kind, lambda value: None, default)


def _check_option(name: str, value: Value) -> None:
    """As the option of that name would be checked by itself."""
    if name in AXES:
        _check_spec(name, str(value))
    else:
        Config(**{name: value})  # type: ignore[arg-type]


def _check_spec(option: str, spec: str) -> None:
    """Whether a member of that name takes these arguments."""
    axis = AXES[option]
    name, positional, keywords = parse_spec(spec)
    entry = catalogue.find(axis, spec)
    if entry not in catalogue.AXES[axis]:
        load_own(entry.target)
        return
    known = arguments(axis, name) if positional or keywords else None
    if known is None:
        return
    unknown = [name for name in keywords if name not in known]
    if unknown or len(positional) > len(known):
        allowed = f"takes {', '.join(known)}" if known else "takes no arguments"
        raise InputError(f"{option} {spec!r}: {name} {allowed}.")


def _check_components(value: Any) -> None:
    whole(COMPONENTS, value)
