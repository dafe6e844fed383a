"""Trials of an earlier search that this one may learn from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vaesearch.bandits.core import Budget
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.events import TrialKnown
from vaesearch.records import TrialSettings
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.state import ArmState, SearchState, fold
from vaesearch.search.tuning.figures import figures
from vaesearch.space import Choice, Parameter, Space, Value
from vaesearch.space.slots import AXES, arguments
from vaesearch.specs import parse_spec
from vaesearch.storage import inside, place_of

LEAST_SHARE = 0.5  # of the longest trial's epochs, that one which was not given up must have had


def known_trials(
    path: str | Path, config: TuneConfig, space: Space, fingerprint: str
) -> tuple[list[TrialKnown], str]:
    """What is known from the run in ``path``, and how much of it does not fit.

    Args:
        path: or URL of a run directory of any search.
        config: of this search, resolved.
        space: of this search.
        fingerprint: of its images.

    Raises:
        InputError: no run directory, or its figures mean something else.
        StorageError: the storage does not answer.
    """
    path = place_of(path)
    old = fold(read_ledger(open_run(path, light=True).ledger), Budget())
    _refuse_other(path, old, config, fingerprint)
    longest = max((arm.epoch for arm in old.arms.values()), default=0)
    found: list[TrialKnown] = []
    misfits: Counter[str] = Counter()
    for name, arm in old.arms.items():
        status = old.history.arm(name).status
        if status == "failed" or arm.epoch < (1 if status == "cut" else LEAST_SHARE * longest):
            misfits["trained too little or failed"] += 1
            continue
        fits = _fit(arm, config, space)
        if isinstance(fits, str):
            misfits[fits] += 1
            continue
        group, values = fits
        measured = figures(arm, config.objective)
        if measured is None:
            misfits["an objective was not measured"] += 1
            continue
        result = dict(zip(config.objective, measured, strict=True))
        found.append(TrialKnown(len(found), values, group, result, f"{path}: {name}"))
    return found, _note(path, len(found), misfits)


def _refuse_other(
    path: str | Path, old: SearchState, config: TuneConfig, fingerprint: str
) -> None:
    instead = f"use its best settings instead: --enqueue {inside(path, 'best.yaml')}"
    if old.data.get("fingerprint") != fingerprint:
        name = old.data.get("name", "?")
        raise InputError(f"--from {path}: it is of other images ({name}); {instead}.")
    reward = old.config.get("reward")
    if reward != config.reward:
        raise InputError(
            f"--from {path}: its arms are compared by {reward}, not {config.reward}; {instead}."
        )


def _fit(arm: ArmState, config: TuneConfig, space: Space) -> tuple[str, dict[str, Value]] | str:
    """The group and the point that an arm stands for in this search, or why there is none."""
    old = arm.arm.settings
    pairs = {pair: name for name, pair in config.groups().items()}
    group = pairs.get((old.encoder, old.decoder))
    if group is None:
        return "another encoder or decoder"
    try:
        values = point_of(vars(old), space)
    except InputError:
        return "outside of the space"
    options: dict[str, Any] = dict(space.options(values))
    same = replace(config.settings(old.encoder, old.decoder), **options)
    differs = [
        f.name
        for f in fields(TrialSettings)
        if _by_name(f.name, getattr(same, f.name)) != _by_name(f.name, getattr(old, f.name))
    ]
    return f"another {differs[0]}" if differs else (group, values)


def _by_name(option: str, value: Any) -> Any:
    """``value``, or a spec taken apart, so that ``planar:8`` and ``planar:steps=8`` are one."""
    if option not in AXES:
        return value
    name, positional, keywords = parse_spec(str(value))
    order = list(arguments(AXES[option], name) or ())
    if len(positional) > len(order):
        return value
    return name, dict(zip(order, positional, strict=False)) | keywords


def point_of(settings: Mapping[str, Any], space: Space) -> dict[str, Value]:
    """The point of the space that these options stand for.

    Raises:
        InputError: there is none.
    """
    written: dict[str, Any] = {}
    for parameter in space.parameters:
        if parameter.is_active(written):
            value = _written(parameter, settings)
            if value is not None:
                accepted = parameter.domain.accept(value)
                written[parameter.name] = value if accepted is None else accepted
    return space.check(written, "an earlier trial", settings)


def _written(parameter: Parameter, settings: Mapping[str, Any]) -> Any:
    """What the options say of a parameter: an option itself, or an argument of its member."""
    option, _, rest = parameter.name.partition(".")
    text = settings.get(option)
    if not rest:
        whole_specs = isinstance(parameter.domain, Choice) and text in parameter.domain.options
        return text if whole_specs or not isinstance(text, str) else parse_spec(text)[0]
    member, _, argument = rest.rpartition(".")
    name, positional, keywords = parse_spec(str(text))
    if name != member:
        return None
    order = list(arguments(AXES[option], member) or ())
    return (dict(zip(order, positional, strict=False)) | keywords).get(argument)


def _note(path: str | Path, count: int, misfits: Mapping[str, int]) -> str:
    left = [f"{n} ({why})" for why, n in sorted(misfits.items())]
    rest = f"; left out: {', '.join(left)}" if left else ""
    return f"{count} trials are known from {path}{rest}."


def missing(known: Sequence[TrialKnown], state: SearchState) -> Sequence[TrialKnown]:
    """Those that are not in the ledger yet; they come before all other trials."""
    return () if state.arms or state.refused else known[len(state.known) :]
