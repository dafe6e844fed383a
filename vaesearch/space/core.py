"""A search space as plain, frozen data; knows nothing of Optuna.

A parameter is named after the option that it sets (``latent_dim``), or after the argument of a
member of an axis (``posterior.planar.steps``), which is there only where that member is chosen.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Value = float | int | str
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Float:
    """Any number from ``low`` to ``high``; with ``log``, evenly so in its logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Int:
    """``low``, ``low + step``, ... up to ``high``; with ``log``, evenly so in its logarithm."""

    low: int
    high: int
    log: bool = False
    step: int = 1


@dataclass(frozen=True)
class Choice:
    """One of the options; their order means nothing."""

    options: tuple[Value, ...]


Domain = Float | Int | Choice
_DOMAINS: dict[str, type[Domain]] = {"float": Float, "int": Int, "choice": Choice}


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
    """Parameters, each after those that its conditions name, and options that stay as they are."""

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Value] = field(default_factory=dict)

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
                option, member, argument = name.split(".")
                if options.get(option) == member:
                    arguments.setdefault(option, []).append(f"{argument}={value}")
        for option, parts in arguments.items():
            options[option] = f"{options[option]}:{','.join(parts)}"
        return options

    @property
    def fingerprint(self) -> str:
        """Tells two spaces apart."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain data; :meth:`from_dict` restores an equal space."""
        kinds = {cls: name for name, cls in _DOMAINS.items()}
        parameters = [
            {
                "name": p.name,
                "kind": kinds[type(p.domain)],
                "domain": asdict(p.domain),
                "default": p.default,
                "when": {name: list(allowed) for name, allowed in p.when.items()},
            }
            for p in self.parameters
        ]
        return {"parameters": parameters, "constants": dict(self.constants)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Space":
        """The space that :meth:`to_dict` described."""
        return cls(tuple(map(_parameter, data["parameters"])), dict(data["constants"]))


def _parameter(data: Mapping[str, Any]) -> Parameter:
    plain: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data["domain"].items()
    }
    when = {name: tuple(allowed) for name, allowed in data["when"].items()}
    return Parameter(data["name"], _DOMAINS[data["kind"]](**plain), data["default"], when)
