"""Modules of one's own beside the user: those that options name, and those that they import."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vaesearch.jobs.files import Sent, is_ignored

_NAMED = re.compile(r"(?<![\w./:])([^\W\d]\w*)(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_NOT_OURS = "vaesearch"


def own_modules(texts: Iterable[str], here: Path) -> Sent:
    """The files of modules in ``here`` that a ``module:attribute`` in the texts stands for.

    What those import is looked for, too, as far as it lies in ``here``. Other modules are those
    of packages, which the cluster must have.

    Args:
        texts: values of options, and what is in the files that they name.
        here: where the user is.
    """
    waiting = [match[1] for text in texts for match in _NAMED.finditer(text)]
    files: dict[str, Path] = {}
    seen = {_NOT_OURS}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for path in _files_of(name, here):
            files[path.relative_to(here).as_posix()] = path
            if path.suffix == ".py":
                waiting += _imports(path)
    return Sent(tuple(sorted(files.items())))


def _files_of(name: str, here: Path) -> list[Path]:
    """A package goes with all that lies in it; none of this name gives none."""
    folder, file = here / name, here / f"{name}.py"
    if (folder / "__init__.py").is_file():
        return sorted(p for p in folder.rglob("*") if p.is_file() and not is_ignored(p, here))
    if file.is_file():
        return [file]
    return sorted(p for p in folder.rglob("*.py") if not is_ignored(p, here))


def _imports(path: Path) -> Iterator[str]:
    """First parts of the names of modules that a file imports; none if it is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
