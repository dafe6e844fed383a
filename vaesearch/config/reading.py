"""From what YAML makes of a file to values of options."""

from dataclasses import Field
from pathlib import Path
from typing import Any

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.specs import split_list


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: no such file, not YAML, or not a mapping.
    """
    try:
        return parse_yaml(path.read_text(), path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from error


def parse_yaml(text: str | bytes, where: str | Path) -> dict[str, Any]:
    """The mapping in the text of the YAML file at a path or URL.

    Raises:
        InputError: it is not YAML, or not a mapping.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise InputError(f"{where} must hold 'option: value' lines, not a {type(data).__name__}.")
    return data


def coerce(option: Field[Any], value: Any) -> Any:
    """Accept what YAML makes of ``5``, ``[a, b]`` or ``1`` where the option is text or a float.

    Raises:
        InputError: the value is of another type than the option.
    """
    name, kind = option.name, str(option.type)
    if kind.startswith("tuple"):
        several = value if isinstance(value, (list, tuple)) else [value]
        return tuple(map(str, several))
    if isinstance(value, (list, tuple)) and name in ("decoders", "encoders"):
        return ",".join(map(str, value))
    if value is None:
        return option.default
    if "str" in kind and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if "bool" in kind and isinstance(value, bool):
        return value
    accepted = {"int": (int,), "float": (int, float), "str": (str,)}
    for word, types in accepted.items():
        if word in kind and isinstance(value, types) and not isinstance(value, bool):
            return float(value) if word == "float" else value
    wanted = next((w for w in ("bool", "int", "float", "str") if w in kind), kind)
    raise InputError(f"{name} must be {wanted}, not {value!r}.")


def choose(axis: str, spec: str) -> list[str]:
    """Names from ``"a,b"``, or the first n of the axis from ``"n"``."""
    text = spec.strip()
    entries = catalogue.AXES[axis]
    if text.removeprefix("-").isdecimal():
        count = int(text)
        if not 1 <= count <= len(entries):
            raise InputError(f"{axis} {count}: there are {len(entries)}, ask for 1 to that many.")
        return [e.name for e in entries[:count]]
    names = split_list(text)
    if not names:
        raise InputError(f"{axis} is empty: give a number or names.")
    for name in names:
        catalogue.find(axis, name)
        if names.count(name) > 1:
            raise InputError(f"{axis}: {name!r} is given twice.")
    return names
