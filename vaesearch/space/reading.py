"""From YAML, and from ``--set``, to a space; whatever is wrong is said with its line."""

from collections.abc import Sequence
from pathlib import Path

from vaesearch.errors import InputError
from vaesearch.space.core import Space
from vaesearch.space.forms import Draft, read_draft
from vaesearch.space.nodes import Node, read_nodes
from vaesearch.space.resolving import override, resolve
from vaesearch.space.shipped import find_space
from vaesearch.space.slots import canonical


def load_space(spec: str, overrides: Sequence[str] = ()) -> Space:
    """The space in a YAML file, or the shipped one of that name.

    Args:
        spec: a path, or a name such as ``mnist``.
        overrides: ``NAME=DOMAIN`` each, as on the command line: ``latent_dim=2..64:log``.

    Raises:
        InputError: no such space, or something in it is wrong; says what and in which line.
    """
    path = find_space(spec)
    drafts = _drafts(path)
    changed: list[str] = []
    for text in overrides:
        name, node = _split(text)
        if name in changed:
            raise node.error(f"{name} is set twice.")
        changed.append(name)
        for draft in override(drafts.get(name), read_draft(name, node)):
            drafts[draft.name] = draft
    space = resolve(drafts, changed)
    if not space.parameters:
        raise InputError(f"{path}: nothing is left to search: give a range or choices.")
    return space


def _drafts(path: Path) -> dict[str, Draft]:
    root = read_nodes(path)
    if not isinstance(root.value, dict):
        raise root.error("a space is a mapping of names to what they may be.")
    drafts: dict[str, Draft] = {}
    for name, node in root.value.items():
        for draft in read_draft(canonical(name), node):
            if draft.name in drafts:
                before = drafts[draft.name].where
                raise node.error(f"{draft.name} is given twice, in {before} before: keep one.")
            drafts[draft.name] = draft
    return drafts


def _split(text: str) -> tuple[str, Node]:
    """Name and domain from ``NAME=DOMAIN``."""
    name, equals, domain = text.partition("=")
    where = f"--set {text}"
    if not (name.strip() and equals):
        raise InputError(f"{where}: write NAME=DOMAIN, as latent_dim=2..64:log.")
    return canonical(name.strip()), Node(domain.strip(), where)
