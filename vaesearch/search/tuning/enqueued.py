"""Proposals that a person wants to be tried first."""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from vaesearch.config import TuneConfig, load_yaml
from vaesearch.config.reading import parse_yaml
from vaesearch.errors import InputError
from vaesearch.records import TrialSettings
from vaesearch.search.tuning.known import point_of
from vaesearch.space import Space, Value
from vaesearch.storage import folder_of, place_of

DEFAULTS = "defaults"
NETWORKS = ("encoder", "decoder", "encoders", "decoders")


def enqueued(
    texts: Sequence[str], config: TuneConfig, space: Space
) -> tuple[list[dict[str, Value]], list[str]]:
    """The points to be proposed first in every group, in order, and remarks.

    Args:
        texts: ``name=value,...``, ``FILE.yaml``, the URL of one, or ``defaults`` each; what is
            not named is at its default.
        config: resolved.
        space: of the search.

    Raises:
        InputError: an unknown name, a value outside of the space, or one that is missing and has
            no default.
    """
    settings = vars(config.settings())
    points: list[dict[str, Value]] = []
    notes: list[str] = []
    for text in texts:
        source = f"--enqueue {text}"
        if text == DEFAULTS:
            point = space.check({}, source, settings)
        elif text.startswith("{"):
            point = space.check(_written(text), source, settings)
        elif Path(text).suffix in (".yaml", ".yml"):
            point, others = _from_file(_loaded(text), source, config, space)
            notes += others
        else:
            point = space.check(_pairs(text), source, settings)
        if point in points:
            notes.append(f"{source} is the same as one before.")
        else:
            points.append(point)
    return points, notes


def as_text(point: dict[str, Value]) -> str:
    """A point as :func:`enqueued` reads it back, wherever it was from."""
    return json.dumps(point)


def _loaded(where: str) -> dict[str, Any]:
    """The options in the YAML file at a path or URL."""
    place = place_of(where)
    if isinstance(place, Path):
        return load_yaml(place)
    folder, _, name = place.rpartition("/")
    try:
        return parse_yaml(folder_of(folder).read(name), where)
    except OSError as error:
        raise InputError(f"cannot read {where}: {error.strerror or error}.") from error


def _written(text: str) -> dict[str, Value]:
    try:
        found: dict[str, Value] = json.loads(text)
    except ValueError:
        raise InputError(_how(text)) from None
    return found


def _how(text: str) -> str:
    return f"--enqueue {text!r}: write NAME=VALUE,NAME=VALUE, or {DEFAULTS}, or FILE.yaml."


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(_how(text))
        if name.strip() in pairs:
            raise InputError(f"--enqueue {text!r}: {name.strip()} is given twice.")
        pairs[name.strip()] = value.strip()
    if not pairs:
        raise InputError("--enqueue is empty: write NAME=VALUE,NAME=VALUE.")
    return pairs


def _from_file(
    options: dict[str, Any], source: str, config: TuneConfig, space: Space
) -> tuple[dict[str, Value], list[str]]:
    """Of the options in a file, those that are searched; and which others are as here, not there.

    Only those of a model count: a file may well be of a longer search, or on other machines.
    """
    written = {str(key).replace("-", "_"): value for key, value in options.items()}
    own = {
        f.name: getattr(config, f.name) for f in fields(TrialSettings) if f.name not in NETWORKS
    }
    searched = {p.name.partition(".")[0] for p in space.parameters}
    notes = []
    for name in (name for name in own if name in written and name not in searched):
        here, there = space.constants.get(name, own[name]), written[name]
        if there is not None and str(there) != str(here) and there != here:
            notes.append(f"{source}: {name} is {there} there, is not searched, and stays {here}.")
    if not searched & written.keys():
        raise InputError(
            f"{source} has none of {', '.join(sorted(searched))}, which are searched."
        )
    try:
        return point_of(vars(config.settings()) | written, space), notes
    except InputError as error:
        raise InputError(str(error).replace("an earlier trial", source)) from None
