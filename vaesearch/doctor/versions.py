"""Python and packages: what is installed against what is needed."""

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from vaesearch.doctor.core import Finding, Question, fail, ok, warning

PYTHON = (3, 11)


@dataclass(frozen=True)
class Need:
    """A package: the least version, what lacks without it, and how to install it.

    ``must`` where no search works without it.
    """

    package: str
    least: str
    purpose: str
    install: str = ""
    must: bool = True


# The same as in pyproject.toml, which an installed package does not have at hand.
NEEDED = (
    Need("numpy", "2.0", "everything"),
    Need("torch", "2.11", "everything"),
    Need("torchvision", "0.26", "downloads of data sets", must=False),
    Need("zuko", "1.6", "--posterior iaf", must=False),
    Need("scikit-learn", "1.6", "everything"),
    Need("scipy", "1.15", "everything"),
    Need("pillow", "11", "everything"),
    Need("ray", "2.60", "--backend ray, clusters", "ray[default]", must=False),
    Need("optuna", "5", "tune and search", must=False),
    Need("sqlalchemy", "2.0", "tune and search", must=False),
    Need("cmaes", "0.12", "--sampler cmaes", must=False),
    Need("mlflow", "3.17", "tracking", must=False),
    Need("matplotlib", "3.9", "pictures"),
    Need("click", "8.1", "everything"),
    Need("rich", "14", "everything"),
    Need("pyyaml", "6.0", "everything"),
    Need("fsspec", "2025.3", "--run-dir URL", must=False),
)
OPTIONAL = (
    Need("psycopg", "3.2", "PostgreSQL storages", "vaesearch[postgresql]", must=False),
    Need("s3fs", "2025.3", "s3:// addresses", "vaesearch[s3]", must=False),
    Need("gcsfs", "2025.3", "gs:// addresses", "vaesearch[gcs]", must=False),
    Need("torch-fidelity", "0.4", "FID with Inception features", "vaesearch[fid]", must=False),
)


def look_python(question: Question) -> Iterator[Finding]:
    """The interpreter."""
    least = ".".join(map(str, PYTHON))
    seen = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info[:2] < PYTHON:
        yield fail("python", seen, f"install Python {least} or newer, and vaesearch into it")
    else:
        yield ok("python", seen)


def look_packages(question: Question) -> Iterator[Finding]:
    """Each package that is missing or too old, or one line where none is."""
    found = [bad for need in NEEDED if (bad := judge(need, installed(need.package)))]
    yield from found
    if not found:
        main = ("torch", "ray", "optuna", "mlflow")
        seen = ", ".join(f"{name} {installed(name)}" for name in main)
        yield ok("packages", f"{seen}, and {len(NEEDED) - len(main)} more")


def look_extras(question: Question) -> Iterator[Finding]:
    """Optional packages: missing ones are no fault, unless they are asked for here."""
    there, missing = [], []
    for need in OPTIONAL:
        has = installed(need.package)
        bad = judge(need, has)
        if has is None and _asked_for(need, question):
            cure = f"pip install '{need.install}'"
            yield fail("extras", f"{need.package} is missing, for {need.purpose}", cure)
        elif has is None:
            missing.append(f"{need.purpose} need '{need.install}'")
        elif bad:
            yield bad
        else:
            there.append(f"{need.package} {has}")
    lacking = [f"not installed: {'; '.join(missing)}"] if missing else []
    yield ok("extras", ". ".join([", ".join(there) or "none", *lacking]))


def judge(need: Need, has: str | None) -> Finding | None:
    """What is wrong with the version ``has`` of a package; None if nothing is."""
    least = f"{need.install or need.package}>={need.least}"
    cure = f"pip install '{least}'"
    say = fail if need.must else warning
    if has is None:
        return say("packages", f"{need.package} is missing, for {need.purpose}", cure)
    if numbers(has) < numbers(need.least):
        seen = f"{need.package} {has} is older than {need.least}, for {need.purpose}"
        return say("packages", seen, cure)
    return None


def installed(package: str) -> str | None:
    """The version of an installed package; None if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version.

    >>> numbers("2.11.0+cu128"), numbers("5.0.0rc1"), numbers("14")
    ((2, 11, 0), (5, 0, 0), (14,))
    """
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, found.group().split("."))) if found else ()


def _asked_for(need: Need, question: Question) -> bool:
    addresses = (question.run_dir, question.storage, question.tracking_uri)
    schemes = {
        "s3fs": ("s3://",), "gcsfs": ("gs://", "gcs://"), "psycopg": ("postgresql+psycopg://",),
    }.get(need.package, ())  # fmt: skip
    return any(address and address.startswith(schemes) for address in addresses) and bool(schemes)
