"""From YAML, and from ``--set``, to a space; whatever is wrong is said with its line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaesearch.config import load_yaml
from vaesearch.errors import InputError
from vaesearch.space.core import Parameter, Space
from vaesearch.space.domains import Choice, Domain, Float, Int


def load_space(spec: str, overrides: Sequence[str] = ()) -> Space:
    """The space in a YAML file, or the shipped one of that name.

    Args:
        spec: a path, or a name such as ``mnist``.
        overrides: ``NAME=DOMAIN`` each, as on the command line: ``latent_dim=2..64:log``.

    Raises:
        InputError: no such space, or something in it is wrong; says what and in which line.
    """
    path = Path(spec) if Path(spec).suffix else _shipped() / f"{spec}.yaml"
    entries = load_yaml(path)
    parameters: list[Parameter] = []
    constants: dict[str, Any] = {}
    for name, entry in entries.items():
        domain = _domain(entry)
        if domain is None:
            constants[name] = entry
        else:
            parameters.append(Parameter(name, domain))
    if overrides:
        raise InputError("--set is not there yet.")
    components = next((p.domain for p in parameters if p.name == "gmm_components"), None)
    parameters = [p for p in parameters if p.name != "gmm_components"]
    return Space(tuple(parameters), constants, components)


def _domain(entry: Any) -> Domain | None:
    if isinstance(entry, list):
        return Choice(tuple(entry))
    if isinstance(entry, dict) and "float" in entry:
        low, high = entry["float"]
        return Float(float(low), float(high), log=entry.get("log", False))
    if isinstance(entry, dict) and "int" in entry:
        low, high = entry["int"]
        return Int(low, high, log=entry.get("log", False), step=entry.get("step", 1))
    return None


def _shipped() -> Path:
    package = Path(__file__).parents[1]
    inside = package / "search_spaces"  # in a wheel
    return inside if inside.exists() else package.parent / "search_spaces"
