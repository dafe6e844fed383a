"""What is to be measured, and on what: from what a user typed to what can be done."""

import json
from collections.abc import Sequence
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from typing import Any

from vaesearch import catalogue
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.metrics import Metric
from vaesearch.evaluation.subject import SPLITS, Subject
from vaesearch.specs import split_list

QUICK = "quick"


@dataclass(frozen=True)
class Asked:
    """A metric that was asked for.

    Attributes:
        spec: as one would type it, with only the settings that differ from their defaults.
        name: in the catalogue, or ``module:Class`` of a user's own.
        metric: with its settings.
        settings: by name, as JSON gives them back.
        by_name: whether the user named it; else it is measured because it is quick.
        is_own: whether it is a user's own.
    """

    spec: str
    name: str
    metric: Metric
    settings: dict[str, Any]
    by_name: bool = True
    is_own: bool = False


@dataclass(frozen=True)
class Conditions:
    """What metrics are measured on; the arguments of a ``Subject``.

    Raises:
        InputError: an unknown split, or a number below 1.
    """

    split: str = "test"
    images: int | None = None
    seed: int = 0
    extractor: str = "labels"
    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise unknown_name("split", self.split, SPLITS)
        for name in ("images", "chunk"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"--{name} must be above 0, not {value}.")


def choose(metrics: str | Sequence[str | Metric] | None = None) -> list[Asked]:
    """The metrics of a list such as ``elbo,iwae:100``, each once; by default the quick ones.

    Raises:
        InputError: an unknown name, a setting that a metric does not take, or something of a
            user's own that is no metric.
    """
    if metrics is None:
        quick = [entry.name for entry in catalogue.METRICS if QUICK in entry.traits]
        return [_built(name, by_name=False) for name in quick]
    members = split_list(metrics) if isinstance(metrics, str) else metrics
    if not members:
        raise InputError("--metrics is empty: give names, as in --metrics elbo,bpd:100.")
    found: dict[str, Asked] = {}
    for member in members:
        asked = _built(member) if isinstance(member, str) else _made(member)
        found[json.dumps([asked.name, asked.settings])] = asked
    return list(found.values())


def key_parts(asked: Asked, conditions: Conditions | Subject) -> dict[str, Any]:
    """What else of the subject the figures depend on, by name, as the metric says.

    Raises:
        InputError: a metric of a user's own depends on what there is not.
    """
    names = getattr(asked.metric, "depends", ())
    unknown = [name for name in names if not hasattr(conditions, name)]
    if unknown:
        raise InputError(f"metric {asked.spec!r} depends on {unknown[0]!r}, which no subject has.")
    return {name: getattr(conditions, name) for name in names}


def _built(spec: str, *, by_name: bool = True) -> Asked:
    entry = catalogue.find("metrics", spec)
    metric = catalogue.build("metrics", spec)
    is_own = entry not in catalogue.METRICS
    return _asked(metric, entry.name, entry.options, by_name=by_name, is_own=is_own)


def _made(metric: Metric) -> Asked:
    """Of a metric that was made in Python."""
    kind = type(metric)
    target = f"{kind.__module__}:{kind.__qualname__}"
    for entry in catalogue.METRICS:
        if entry.target == target and not entry.options:
            return _asked(metric, entry.name, {})
    return _asked(metric, target, {}, is_own=True)


def _asked(
    metric: Metric,
    name: str,
    options: dict[str, Any],
    *,
    by_name: bool = True,
    is_own: bool = False,
) -> Asked:
    settings = _settings(metric, name)
    changed = {
        f.name: getattr(metric, f.name)
        for f in fields(metric)  # type: ignore[arg-type]
        if f.name not in options and getattr(metric, f.name) != _default(f)
    }
    return Asked(_written(metric, name, changed), name, metric, settings, by_name, is_own)


def _settings(metric: Metric, name: str) -> dict[str, Any]:
    """The settings as JSON gives them back, for they are compared with those of a file."""
    for method in ("check", "measure"):
        if not callable(getattr(metric, method, None)):
            kind = type(metric).__name__
            raise InputError(f"metric {name!r}: a {kind} has no method `{method}`.")
    if not is_dataclass(metric) or isinstance(metric, type):
        raise InputError(
            f"metric {name!r}: make it a dataclass. Its fields are the settings under which its "
            "figures are kept."
        )
    settings = asdict(metric)
    try:
        plain: dict[str, Any] = json.loads(json.dumps(settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"metric {name!r}: its settings must be plain numbers and text ({error})."
        ) from error
    return plain


def _default(setting: "Field[Any]") -> Any:
    if setting.default_factory is not MISSING:
        return setting.default_factory()
    return setting.default


def _written(metric: Metric, name: str, changed: dict[str, Any]) -> str:
    """The name with the settings behind it: alone what the first one is, else each by name."""
    if not changed:
        return name
    first = fields(metric)[0].name  # type: ignore[arg-type]
    if list(changed) == [first]:
        return f"{name}:{changed[first]}"
    return f"{name}:{','.join(f'{key}={value}' for key, value in changed.items())}"
