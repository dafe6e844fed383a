"""The spaces that come with the product, one for each dataset that has its own."""

from pathlib import Path

from vaesearch import catalogue
from vaesearch.catalogue import Entry
from vaesearch.errors import unknown_name

GENERIC = "vae"
_SAME = {"qmnist": "mnist"}  # more of the same pictures


def shipped_spaces() -> dict[str, Path]:
    """The files by name."""
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


def folder() -> Path:
    """Where they are: inside an installed package, or beside it in a working copy."""
    package = Path(__file__).parents[1]
    inside = package / "search_spaces"
    return inside if inside.exists() else package.parent / "search_spaces"


def find_space(spec: str) -> Path:
    """The file that ``spec`` means: a path, or the name of a shipped one.

    Raises:
        InputError: no shipped space has that name; the nearest one is suggested.
    """
    shipped = shipped_spaces()
    if spec in shipped:
        return shipped[spec]
    path = Path(spec)
    if path.suffix or len(path.parts) > 1 or path.exists():
        return path
    raise unknown_name("space", spec, shipped)


def default_space(dataset: str) -> str:
    """The name of the space for a dataset: its own, or the one for any.

    >>> default_space("mnist"), default_space("qmnist"), default_space("photos/cats")
    ('mnist', 'mnist', 'vae')
    """
    known = {entry.name for entry in catalogue.DATASETS}
    name = _SAME.get(dataset, dataset)
    return name if dataset in known and name in shipped_spaces() else GENERIC


def space_entries() -> tuple[Entry, ...]:
    """The shipped spaces as rows of a list: their names, and what they say that they are for."""
    return tuple(Entry(name, "", _summary(path)) for name, path in shipped_spaces().items())


def _summary(path: Path) -> str:
    """The first comment of the file that is no instruction to an editor."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    comments = (line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    return next((line for line in comments if not line.startswith("yaml-language-server")), "")
