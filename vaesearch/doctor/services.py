"""What a search talks to or reads: the data set, MLflow, the Optuna storage."""

import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from vaesearch.config import NO_STORAGE
from vaesearch.data.cache import load_or_build
from vaesearch.data.core import Splits
from vaesearch.data.sources import find_source
from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.doctor.disks import nearest
from vaesearch.errors import InputError, VaesearchError

SIZE = 32  # pixels on a side, the default of a search
FILES = {
    "mnist": "MNIST/raw", "qmnist": "QMNIST/raw", "fashionmnist": "FashionMNIST/raw",
    "cifar10": "cifar-10-batches-py", "celeba": "celeba",
}  # fmt: skip


class _NotPreparedError(Exception):
    """The cache has no such images."""


def look_data(question: Question) -> Iterator[Finding]:
    """Whether the data set is here; nothing is downloaded."""
    name, folder = question.dataset, Path(question.data_dir)
    try:
        source = find_source(name, data_dir=folder, image_size=SIZE)
    except VaesearchError as error:
        what, _, cure = str(error).partition("\n")
        yield fail("data", what, cure or "correct --dataset or --data-dir")
        return
    if name == "digits":
        yield ok("data", "digits, embedded in scikit-learn")
    elif not source.identity.startswith("catalogue"):
        yield ok("data", f"{name}: {source.label}")
    elif (folder / FILES.get(name, name)).exists():
        yield ok("data", f"{name}: {folder / FILES.get(name, name)}")
    elif _prepared(f"{source.identity} at {SIZE}"):
        yield ok("data", f"{name}: prepared in the cache, at {SIZE} pixels")
    else:
        cure = f"it is downloaded at first use; without a network put {name}.npz there"
        yield warning("data", f"{name} is not in {folder.absolute()}", cure)


def _prepared(identity: str) -> bool:
    def build() -> Splits:
        raise _NotPreparedError

    try:
        load_or_build(identity, build)
    except _NotPreparedError:
        return False
    return True


def look_optuna(question: Question) -> Iterator[Finding]:
    """Whether the Optuna storage that was named answers; nothing is written to it."""
    if question.storage is None or question.storage == NO_STORAGE:
        yield ok("Optuna", "studies go into the run directory")
        return
    try:
        from vaesearch.search.tuning.addresses import parse
        from vaesearch.search.tuning.storage import check
    except ModuleNotFoundError as error:
        yield fail("Optuna", f"{error.name} is missing", f"pip install {error.name}")
        return
    began = perf_counter()
    try:
        address = parse(question.storage)
        check(address)
    except InputError as error:
        what, _, cure = str(error).partition("\n")
        yield fail("Optuna", what, cure or "start the database, or correct --storage")
        return
    taken = 1000 * (perf_counter() - began)
    if address.file is not None:
        yield database_file("Optuna", address.file)
    else:
        yield ok("Optuna", f"{address.shown} answers in {taken:.0f} ms")


def database_file(name: str, path: Path) -> Finding:
    """Whether an SQLite file can be written or made."""
    there = path if path.exists() else nearest(path.parent)
    if not os.access(there, os.W_OK):
        return fail(name, f"{there} cannot be written", "give another place, or its permissions")
    return ok(name, f"{path}{'' if path.exists() else ' (to be made)'}")
