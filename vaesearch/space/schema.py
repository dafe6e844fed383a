"""The JSON Schema of a search space, by which an editor completes names and marks slips.

It is made of the options and of the catalogue: ``python -m vaesearch.space.schema`` prints it.
What needs more than one place of a file, such as a condition on a missing name, is for
:func:`~vaesearch.space.load_space` to find.
"""

import json
import re
import sys
from dataclasses import fields
from typing import Any

from vaesearch import catalogue
from vaesearch.config import PRECISIONS, Config
from vaesearch.errors import InputError
from vaesearch.space.slots import AXES, COMPONENTS, OPTIONS, Slot, arguments, slot

Schema = dict[str, Any]
_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
_BOUNDS = rf"\s*{_NUMBER}\s*\.\.\s*{_NUMBER}\s*"
_OWN = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(:.*)?"
_KINDS = ("int", "float", "str", None)
_HELP = {f.name: f.metadata["help"] for f in fields(Config)}


def space_schema() -> Schema:
    """The whole schema, in draft 7, which editors know best."""
    properties: Schema = {}
    for name in OPTIONS:
        properties[name] = {"description": _description(name), **_entry(slot(name))}
        if name in AXES:
            properties |= _arguments_by_name(name)
    properties[COMPONENTS] = {
        "description": "numbers of Gaussians to fit to the codes of a trained model",
        **_entry(slot(COMPONENTS), is_proposed=False),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Search space of vaesearch",
        "description": "Options of a trial, each with what it may be.",
        "type": "object",
        "properties": properties,
        "patternProperties": {rf"^({'|'.join(AXES)})\.[\w.]+:\w+\.\w+$": {"$ref": _ref("any")}},
        "additionalProperties": False,
        "minProperties": 1,
        "definitions": {_kind(kind): _argument(kind) for kind in _KINDS} | {"when": _when()},
    }


def _ref(name: str) -> str:
    return f"#/definitions/{name}"


def _description(name: str) -> str:
    plural = AXES.get(name, "")
    return _HELP.get(name) or f"a network (`vaesearch list {plural}`)"


def _arguments_by_name(option: str) -> Schema:
    """``posterior.planar.steps`` and its like."""
    found = {}
    for entry in catalogue.AXES[AXES[option]]:
        for argument in arguments(AXES[option], entry.name) or {}:
            name = f"{option}.{entry.name}.{argument}"
            found[name] = {"$ref": _ref(_kind(slot(name).kind))}
    return found


def _argument(kind: str | None) -> Schema:
    """Of any argument of that kind: what else it refuses shows when it is made."""
    return _entry(Slot("", kind, lambda value: None))


def _kind(kind: str | None) -> str:
    return kind or "any"


def _entry(about: Slot, *, is_proposed: bool = True) -> Schema:
    """A constant, or a domain in its short or its long form."""
    value = _value(about)
    most = {"minItems": 2 if is_proposed else 1, "uniqueItems": True}
    several: Schema = {"type": "array", "items": value, **most}
    forms = [value, several, _text(about), _long({"choices": _choices(about, several)})]
    if about.kind != "str":
        ends = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
        log = {"log": {"type": "boolean"}}
        forms.append(_long({"int": ends}, log | {"step": {"type": "integer", "minimum": 1}}))
        if about.kind != "int":
            forms.append(_long({"float": ends}, log))
    return {"anyOf": forms}


def _long(needed: Schema, more: Schema | None = None) -> Schema:
    rest = {"default": {"type": ["number", "string"]}, "when": {"$ref": _ref("when")}}
    return {
        "type": "object",
        "required": list(needed),
        "properties": needed | (more or {}) | rest,
        "additionalProperties": False,
    }


def _value(about: Slot) -> Schema:
    if about.name == "precision":
        return {"enum": list(PRECISIONS)}
    if about.name in AXES:
        return {"anyOf": [{"enum": [e.name for e in _members(about.name)]},
                          {"type": "string", "pattern": f"^({_spec(about.name)})$"}]}  # fmt: skip
    if about.kind == "str":
        return {"type": "string"}
    written = {"type": "string", "pattern": f"^{_NUMBER}$"}
    if about.kind == "int":
        return {"anyOf": [{"type": "integer", **_least(about)}, written]}
    if about.kind == "float":
        return {"anyOf": [{"type": "number", **_least(about)}, written]}
    return {"type": ["number", "string"]}


def _least(about: Slot) -> Schema:
    """The lowest number that the option itself takes."""
    if about.kind == "int":
        least = next((n for n in range(-1, 3) if _takes(about, n)), 0)
        return {} if least < 0 else {"minimum": least}
    if _takes(about, -1.0):
        return {}
    return {"minimum": 0} if _takes(about, 0.0) else {"exclusiveMinimum": 0}


def _takes(about: Slot, value: float) -> bool:
    try:
        about.check(value)
    except InputError:
        return False
    return True


def _text(about: Slot) -> Schema:
    """The short form, where it is no single value."""
    if about.kind == "str":
        one = _spec(about.name) if about.name in AXES else r"[^,\s]+"
        return {"type": "string", "pattern": rf"^\[?({one})(\s*,\s*({one}))+\]?$"}
    step = r"(:log|:step=\d+)?" if about.kind != "float" else "(:log)?"
    several = rf"\[?\s*{_NUMBER}(\s*,\s*{_NUMBER})+\s*\]?"
    return {"type": "string", "pattern": f"^({_BOUNDS}{step}|{several})$"}


def _spec(option: str) -> str:
    """A member with or without arguments, or a user's own."""
    names = "|".join(re.escape(entry.name) for entry in _members(option))
    own = f"|{_OWN}" if AXES[option] in catalogue.OPEN_AXES else ""
    return rf"({names})(:[^\s]+)?{own}"


def _members(option: str) -> tuple[catalogue.Entry, ...]:
    return catalogue.AXES[AXES[option]]


def _choices(about: Slot, several: Schema) -> Schema:
    """A list, or members with what is searched of their arguments."""
    if about.name not in AXES:
        return several
    axis = AXES[about.name]
    members = {}
    for entry in catalogue.AXES[axis]:
        known = arguments(axis, entry.name)
        inner: Schema = {"type": ["object", "null"], "description": entry.summary}
        if known is None:
            inner["additionalProperties"] = {"$ref": _ref("any")}
        else:
            names = {n: {"$ref": f"#/properties/{about.name}.{entry.name}.{n}"} for n in known}
            inner |= {"properties": names, "additionalProperties": False}
        members[entry.name] = inner
    others = {f"^({_spec(about.name)})$": {"type": ["object", "null"]}}
    mapping = {
        "type": "object",
        "minProperties": 2,
        "properties": members,
        "patternProperties": others,
        "additionalProperties": False,
    }
    return {"anyOf": [several, mapping]}


def _when() -> Schema:
    """Conditions: names, each with a value or several."""
    scalar = {"type": ["string", "number"]}
    names = rf"^({'|'.join(OPTIONS)})(\..+)?$"
    several = {"type": "array", "items": scalar, "minItems": 1}
    return {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {names: {"anyOf": [scalar, several]}},
        "additionalProperties": False,
    }


def schema_text() -> str:
    """The file that is shipped: a line for each name, so that a change shows as one."""
    return _written(space_schema(), levels=2) + "\n"


def _written(value: Any, levels: int, indent: str = "") -> str:
    if levels == 0 or not isinstance(value, dict):
        return json.dumps(value)
    inner = f"{indent} "
    lines = (f"{inner}{json.dumps(k)}: {_written(v, levels - 1, inner)}" for k, v in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
