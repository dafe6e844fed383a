"""This package as it is installed here, to be sent: from a working copy or from a wheel."""

import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import vaesearch
from vaesearch.space import shipped

LEAST_PYTHON = (3, 11)
_NEED = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*>=\s*([\d.]+)\s*")


def stage_package(folder: Path) -> Path:
    """Copy the package with its search spaces below ``folder``; bytes of Python stay behind.

    Returns:
        The copy, a folder with the name of the package.
    """
    target = folder / "vaesearch"
    leave = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(vaesearch.__file__).parent, target, ignore=leave)
    spaces = target / "search_spaces"
    if not spaces.exists():
        shutil.copytree(shipped.folder(), spaces, ignore=leave)
    return target


def needs() -> list[tuple[str, str]]:
    """Packages that ours needs, with the least version of each; Ray alone if that is not known."""
    try:
        lines = requires("vaesearch") or []
    except PackageNotFoundError:
        return [("ray", "2.60")]
    found = [_NEED.fullmatch(line) for line in lines if "extra ==" not in line]
    return [(match[1], match[2]) for match in found if match]


def python() -> tuple[int, int]:
    """The version that runs here."""
    return sys.version_info[:2]
