"""A search space as plain, frozen data; knows nothing of Optuna.

A parameter is named after the option that it sets (``latent_dim``), or after the argument of a
member of an axis (``posterior.planar.steps``), which is there only where that member is chosen.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vaesearch.errors import InputError, unknown_name
from vaesearch.space.domains import KINDS, Choice, Domain, Value

Values = Mapping[str, Value]


@dataclass(frozen=True)
class Parameter:
    """Something that is searched.

    Attributes:
        name: of an option, or ``OPTION.MEMBER.ARGUMENT``.
        domain: what it may be.
        default: its value where nothing is searched; None for that of the option.
        when: earlier parameters, each with the values that it must have one of for this one to
            be there.
    """

    name: str
    domain: Domain
    default: Value | None = None
    when: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def is_active(self, values: Values) -> bool:
        """Whether the parameter is there, given the values of earlier ones."""
        return all(values.get(name) in allowed for name, allowed in self.when.items())


@dataclass(frozen=True)
class Space:
    """Parameters, each after those that its conditions name, and options that stay as they are.

    Attributes:
        parameters: what is proposed.
        constants: options, and arguments of members, that the space fixes.
        components: numbers of Gaussians to fit to the codes of a trained model; never proposed,
            since they cost no training. None where the space says nothing of them.
    """

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Value] = field(default_factory=dict)
    components: Domain | None = None

    def options(self, values: Values) -> dict[str, Value]:
        """The options of :class:`~vaesearch.records.TrialSettings` that ``values`` stand for.

        Arguments are joined to their member: ``posterior`` ``planar`` with
        ``posterior.planar.steps`` 8 makes ``planar:steps=8``.
        """
        merged = dict(self.constants) | dict(values)
        options = {name: value for name, value in merged.items() if "." not in name}
        arguments: dict[str, list[str]] = {}
        for name, value in merged.items():
            if "." in name:
                option, member, argument = split_name(name)
                if options.get(option) == member:
                    arguments.setdefault(option, []).append(f"{argument}={value}")
        for option, parts in arguments.items():
            options[option] = f"{options[option]}:{','.join(parts)}"
        return options

    def defaults(self, settings: Mapping[str, Any] | None = None) -> dict[str, Value] | None:
        """The point where nothing is searched: a value for each active parameter.

        Args:
            settings: the options as they are without a space (``vars`` of the settings of a
                resolved configuration), for parameters without a default of their own.

        Returns:
            None where a parameter has no default, or its option's lies outside of its domain.
        """
        values: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.is_active(values):
                value = default_of(parameter, settings or {})
                if value is None:
                    return None
                values[parameter.name] = value
        return values

    def contains(self, values: Values) -> bool:
        """Whether ``values`` is a point: each active parameter inside its domain, no others."""
        rest = dict(values)
        for parameter in self.parameters:
            if parameter.is_active(values):
                value = rest.pop(parameter.name, None)
                if value is None or parameter.domain.accept(value) != value:
                    return False
        return not rest

    def check(
        self, values: Mapping[str, Any], source: str, settings: Mapping[str, Any] | None = None
    ) -> dict[str, Value]:
        """A full point from what a person wrote, or an earlier search proposed.

        Args:
            values: numbers may be text; active parameters may be missing if they have a default.
            source: of the values, for messages.
            settings: as in :meth:`defaults`.

        Raises:
            InputError: an unknown parameter, a value outside its domain, one that is not there
                with these other values, or one that is missing; says what is allowed.
        """
        self._check_names(values, source)
        point: dict[str, Value] = {}
        for parameter in self.parameters:
            name, domain = parameter.name, parameter.domain
            if not parameter.is_active(point):
                if name in values:
                    raise InputError(
                        f"{source}: {name} is there only when {condition(parameter.when)}."
                    )
                continue
            value = domain.accept(values[name]) if name in values else None
            if name in values and value is None:
                raise InputError(f"{source}: {name} must be in {domain.text()}, not "
                                 f"{values[name]!r}.")  # fmt: skip
            value = default_of(parameter, settings or {}) if value is None else value
            if value is None:
                raise InputError(f"{source}: {name} is missing and has no default: give it a "
                                 f"value in {domain.text()}.")  # fmt: skip
            point[name] = value
        return point

    def _check_names(self, values: Mapping[str, Any], source: str) -> None:
        names = [p.name for p in self.parameters]
        for name, value in values.items():
            fixed = self.constants.get(name)
            if fixed is not None and Choice((fixed,)).accept(value) is None:
                raise InputError(f"{source}: the space fixes {name} at {fixed}, not {value}.")
            if fixed is None and name not in names:
                raise unknown_name(f"parameter in {source}", name, names)

    @property
    def fingerprint(self) -> str:
        """Tells two spaces apart; the order of parameters and of conditions means nothing."""
        data = self.to_dict()
        data["parameters"].sort(key=lambda parameter: parameter["name"])
        for parameter in data["parameters"]:
            parameter["when"] = {k: sorted(v, key=str) for k, v in parameter["when"].items()}
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain data; :meth:`from_dict` restores an equal space."""
        parameters = [
            {
                "name": p.name,
                **_described(p.domain),
                "default": p.default,
                "when": {name: list(allowed) for name, allowed in p.when.items()},
            }
            for p in self.parameters
        ]
        components = _described(self.components) if self.components else None
        return {
            "parameters": parameters,
            "constants": dict(self.constants),
            "components": components,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Space":
        """The space that :meth:`to_dict` described."""
        components = data.get("components")
        return cls(
            tuple(map(_parameter, data["parameters"])),
            dict(data["constants"]),
            _domain(components) if components else None,
        )


def split_name(name: str) -> tuple[str, str, str]:
    """Option, member and argument; a user's own member has dots in its name.

    >>> split_name("posterior.my.flows:Mine.depth")
    ('posterior', 'my.flows:Mine', 'depth')
    """
    option, _, rest = name.partition(".")
    member, _, argument = rest.rpartition(".")
    return option, member, argument


def condition(when: Mapping[str, tuple[Value, ...]]) -> str:
    """In words.

    >>> condition({"posterior": ("planar", "radial")})
    'posterior is planar or radial'
    """
    parts = (f"{name} is {' or '.join(map(str, allowed))}" for name, allowed in when.items())
    return " and ".join(parts)


def default_of(parameter: Parameter, settings: Mapping[str, Any]) -> Value | None:
    """Its own default, or that of its option if it lies inside."""
    if parameter.default is not None:
        return parameter.default
    value = settings.get(parameter.name)
    return None if value is None else parameter.domain.accept(value)


def _described(domain: Domain) -> dict[str, Any]:
    kind = next(name for name, cls in KINDS.items() if isinstance(domain, cls))
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(domain).items()}
    return {"kind": kind, "domain": fields}


def _domain(data: Mapping[str, Any]) -> Domain:
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data["domain"].items()
    }
    return KINDS[data["kind"]](**fields)


def _parameter(data: Mapping[str, Any]) -> Parameter:
    when = {name: tuple(allowed) for name, allowed in data["when"].items()}
    return Parameter(data["name"], _domain(data), data["default"], when)
