"""Choices of a space that cannot go together, found before there are data or training."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from vaesearch.compatibility import check_combination, check_comparable
from vaesearch.config import Config, TuneConfig
from vaesearch.errors import InputError
from vaesearch.records import TrialSettings
from vaesearch.space.core import Parameter, Space
from vaesearch.space.domains import Choice, Value
from vaesearch.space.points import Point, corners
from vaesearch.space.points import values as values_of
from vaesearch.space.reading import load_space
from vaesearch.space.shipped import default_space

Setting = tuple[str, Value]
_RANKED = ("bpd", "elbo", "reconstruction")  # figures that depend on the likelihood
_NETWORKS = ("encoder", "decoder")


def space_of(config: TuneConfig) -> Space:
    """The space that the options name, or the shipped one for the dataset, as they change it.

    Raises:
        InputError: there is none, or something in it is wrong or cannot go together.
    """
    space = load_space(config.space or default_space(config.dataset), config.set)
    check_space(space, config)
    return space


def check_space(space: Space, config: Config) -> None:
    """Refuse a space in which something could be proposed that has no meaning.

    Combinations of choices are tried with each other and with the other options, ranges at their
    ends; in a space of very many, pairs and a sample.

    Raises:
        InputError: two values that exclude each other; says why, and how to leave it out.
    """
    groups = config.groups() if isinstance(config, TuneConfig) else {}
    if len(groups) > 1:
        _refuse_networks(space)
    encoder, decoder = next(iter(groups.values()), ("", ""))
    trial = _Trial(space, config, config.settings(encoder, decoder))
    _refuse_likelihoods(space, trial)
    points = corners(space)
    faults = [trial.fault(point) for point in points]
    if any(faults):
        raise InputError(_explained(trial, points, faults))


def refuse_both(space: Space, options: Collection[str]) -> None:
    """Refuse an option that the space decides as well.

    Args:
        space: what is searched.
        options: names of those that were given.

    Raises:
        InputError: says how to fix it in the space.
    """
    for name in (*(p.name for p in space.parameters), *space.constants):
        option = f"{name}s" if name in _NETWORKS else name
        if option in options:
            flag = "--" + option.replace("_", "-")
            raise InputError(f"{flag} and the space both set {name}: to fix it, write "
                             f"--set {name}=VALUE in place of {flag}.")  # fmt: skip


@dataclass(frozen=True)
class _Trial:
    """What a point of the space would be, with the options of the search."""

    space: Space
    config: Config
    base: TrialSettings

    def settings(self, point: Point) -> TrialSettings:
        options: dict[str, Any] = self.space.options(point)
        return replace(self.base, **options)

    def fault(self, point: Point) -> str | None:
        """Why it has no meaning, if so."""
        settings = self.settings(point)
        try:
            check_combination(settings, self.config.pixels)
            for figure in self.figures():
                check_comparable(settings, settings, figure)
        except InputError as error:
            return str(error)
        return None

    def figures(self) -> list[str]:
        """What trials are ranked by."""
        asked = [self.config.reward, *getattr(self.config, "objective", ())]
        return [name for name in dict.fromkeys(asked) if name in _RANKED]

    def without(self, point: Point, name: str) -> str | None:
        """The fault that is left where ``name`` is not there, as ``when`` would have it."""
        return self.fault({k: v for k, v in point.items() if k != name})


def _refuse_networks(space: Space) -> None:
    for name in (*(p.name for p in space.parameters), *space.constants):
        if name.partition(".")[0] in _NETWORKS:
            option = name.partition(".")[0]
            raise InputError(
                f"the space names {name}, and --{option}s says already what is searched: "
                f"leave one out, or give one decoder and one encoder."
            )


def _refuse_likelihoods(space: Space, trial: _Trial) -> None:
    """Likelihoods that are ranked side by side by a figure in nats."""
    for parameter in space.parameters:
        if parameter.name == "likelihood":
            first, *others = (replace(trial.base, likelihood=str(v)) for v in values_of(parameter))
            for figure in (f for f in trial.figures() if f != "bpd"):
                for other in others:
                    try:
                        check_comparable(first, other, figure)
                    except InputError as error:
                        raise InputError(f"space: {error}") from error


def _explained(trial: _Trial, points: list[Point], faults: list[str | None]) -> str:
    """Which values are at fault, why, and what to do."""
    one, other, point, fault = _culprits(trial, points, faults)
    if one is None:
        shown = ", ".join(f"{name} {value}" for name, value in point.items())
        return f"space: {shown} cannot go together: {fault}"
    if other is None:
        drop = _dropped(trial.space, one)
        if "." in one[0]:
            return f"space: {_shown(one)}: {fault} {drop}".strip()
        return f"space: {_shown(one)} cannot go with the options of this search: {fault} {drop}"
    return (
        f"space: {_shown(one)} and {_shown(other)} cannot go together: {fault}\n"
        f"{_remedy(trial, point, one, other)}"
    )


def _culprits(
    trial: _Trial, points: list[Point], faults: list[str | None]
) -> tuple[Setting | None, Setting | None, Point, str]:
    """A value, or two, with which every point fails, and such a point."""
    for size in (1, 2):
        seen: dict[tuple[Setting, ...], list[int]] = defaultdict(list)
        for index, point in enumerate(points):
            for group in combinations(point.items(), size):
                seen[group].append(index)
        bad = [g for g, found in seen.items() if all(faults[i] for i in found)]
        # Members before their arguments; and two that fail for one reason are at fault
        # themselves, where others may meet by chance.
        bad.sort(key=lambda group: (
            sum("." in name for name, _ in group), len({faults[i] for i in seen[group]})
        ))  # fmt: skip
        if bad:
            at = seen[bad[0]][0]
            one, *rest = bad[0]
            other = rest[0] if rest else _partner(trial, points[at], one)
            return one, other, points[at], str(faults[at])
    at = next(i for i, fault in enumerate(faults) if fault)
    return None, None, points[at], str(faults[at])


def _partner(trial: _Trial, point: Point, one: Setting) -> Setting | None:
    """What the space sets beside ``one`` and without which it would do."""
    for name, value in point.items():
        is_above = one[0].startswith(f"{name}.")  # the member of an argument
        if name != one[0] and not is_above and trial.without(point, name) is None:
            return name, value
    return None


def _remedy(trial: _Trial, point: Point, one: Setting, other: Setting) -> str:
    ways = [w for a, b in ((one, other), (other, one)) for w in _conditions(trial, point, a, b)]
    drops = [_dropped(trial.space, setting) for setting in (one, other)]
    return " Or: ".join([*ways[:1], *filter(None, drops)]) or "Change one of the ranges."


def _conditions(trial: _Trial, point: Point, on: Setting, of: Setting) -> Iterator[str]:
    """A condition on one parameter, under which the other is there; only if it helps."""
    parameter = _parameter(trial.space, on[0])
    others = [value for value in values_of(parameter) if value != on[1]]
    if isinstance(parameter.domain, Choice) and trial.without(point, of[0]) is None:
        allowed = f"[{', '.join(map(str, others))}]" if len(others) > 1 else str(others[0])
        yield f"Give {of[0]} the condition when: {{{on[0]}: {allowed}}}."


def _dropped(space: Space, setting: Setting) -> str:
    name, value = setting
    if isinstance(_parameter(space, name).domain, Choice):
        return f"Drop {value} from the choices of {name}."
    return ""


def _parameter(space: Space, name: str) -> Parameter:
    return next(p for p in space.parameters if p.name == name)


def _shown(setting: Setting) -> str:
    return f"{setting[0]} {setting[1]}"
