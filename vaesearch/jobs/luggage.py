"""What a command takes along: files that its options name are sent, and the options say where.

Relative paths are of this machine and travel; absolute paths and URLs are of the cluster.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.jobs.files import Sent, pack, refuse_large
from vaesearch.jobs.inner import Inner, Option
from vaesearch.jobs.modules import own_modules
from vaesearch.jobs.starter import SENT

SEARCHES = ("bandit", "tune", "search")
_YAML = (".yaml", ".yml")
_FLAGS = {
    "space": "--space", "enqueue": "--enqueue", "dataset": "--dataset",
    "warm_start": "--from", "data_dir": "--data-dir",
}  # fmt: skip
_LEDGER = ("ledger.jsonl",)  # all that is read of an earlier run


@dataclass(frozen=True)
class Luggage:
    """A command as it is to be typed on the cluster, and what goes with it.

    Attributes:
        inner: the command.
        sent: files.
        kept: values of options whose files must outlive the job, since the ledger names them.
        must_exist: pairs of an option and a path that the cluster must have.
        own_data_dir: the command says where data sets are.
    """

    inner: Inner
    sent: tuple[Sent, ...] = ()
    kept: tuple[str, ...] = ()
    must_exist: tuple[tuple[str, str], ...] = ()
    own_data_dir: bool = False


def packed(
    inner: Inner, config: Mapping[str, Any], here: Path, others: Sequence[Path] = ()
) -> Luggage:
    """What must travel for ``inner`` to mean the same on the cluster.

    Args:
        inner: as it was typed.
        config: what its ``--config`` file says.
        here: where the user is; relative paths begin there.
        others: files and folders that are to be sent besides.

    Raises:
        InputError: a file is missing or too large, or a path can be of no use to a cluster.
    """
    _refuse_local(inner)
    inner = _lifted(inner, config)
    luggage = Luggage(inner, own_data_dir=inner.get("data_dir") is not None)
    if inner.command in SEARCHES:
        for name in ("config", *_FLAGS):
            if option := inner.get(name):
                luggage = _with(luggage, option, here)
    texts = [value for option in inner.options for value in option.values]
    modules = own_modules([*texts, *_written(luggage.sent)], here)
    beside = [_beside(path, here) for path in others]
    luggage = replace(luggage, sent=(*luggage.sent, modules, *beside))
    refuse_large(sum(each.size for each in luggage.sent), "the files that go with this command")
    return luggage


def is_of_cluster(path: str) -> bool:
    """Whether a path means the same from wherever it is typed.

    >>> is_of_cluster("s3://b/x"), is_of_cluster("/shared/x"), is_of_cluster("runs/x")
    (True, True, False)
    """
    return "://" in path or path.startswith("~") or os.path.isabs(path)


def _refuse_local(inner: Inner) -> None:
    """Paths of what is written, or of a run: a copy of it would be of no use."""
    for option in inner.options:
        is_place = option.name in ("run_dir", "out", "targets")
        if option.name == "data_dir" and inner.command not in SEARCHES:
            is_place = True
        for value in option.values:
            label = f"{option.flag} {value}".strip()
            if (is_place or not option.flag) and not is_of_cluster(value):
                raise InputError(
                    f"{label} is a path of this machine, where the job does not run.\n"
                    "Give a URL such as s3://BUCKET/runs/NAME, or an absolute path on storage "
                    "that all nodes see."
                )
            if option.name in ("tracking_uri", "storage") and _is_local_database(value):
                raise InputError(
                    f"{label} would lie in the job's folder and go with it.\n"
                    "Give the address of a server, or the absolute path of a file on storage "
                    "that all nodes see."
                )


def _is_local_database(uri: str) -> bool:
    scheme, is_url, rest = uri.partition("://")
    if not is_url:
        return uri != "none" and not uri.startswith("/")
    return scheme.startswith("sqlite") and not rest.startswith("//")


def _lifted(inner: Inner, config: Mapping[str, Any]) -> Inner:
    """With options of the YAML file that name files, so that they can be changed."""
    written = {str(key).replace("-", "_"): value for key, value in config.items()}
    written["warm_start"] = written.get("from", written.get("warm_start"))
    for name, flag in _FLAGS.items():
        value = written.get(name)
        if inner.get(name) is None and value is not None:
            values = value if isinstance(value, list) else [value]
            inner = inner.changed(Option(name, flag, tuple(map(str, values))))
    return inner


def _with(luggage: Luggage, option: Option, here: Path) -> Luggage:
    values: list[str] = []
    for value in option.values:
        sent = None if is_of_cluster(value) else _travelling(luggage.inner, option, value, here)
        if sent is not None:
            luggage = replace(luggage, sent=(*luggage.sent, sent))
            if option.name in ("dataset", "warm_start", "data_dir"):
                luggage = replace(luggage, kept=(*luggage.kept, sent.value))
        elif os.path.isabs(value) and option.name != "data_dir":
            must = (*luggage.must_exist, (option.flag, value))
            luggage = replace(luggage, must_exist=must)
        values.append(sent.value if sent else value)
    inner = luggage.inner.changed(replace(option, values=tuple(values)))
    return replace(luggage, inner=inner)


def _travelling(inner: Inner, option: Option, value: str, here: Path) -> Sent | None:
    """What is to be sent for a relative value; None if it is no path."""
    path, label = here / value, f"{option.flag} {value}"
    if option.name == "config":
        return pack(path, label=label)
    if option.name == "warm_start":
        return pack(path, label=label, only=_LEDGER)
    if option.name == "data_dir":
        return _data(inner, path, label)
    if option.name == "enqueue":
        return pack(path, label=label) if path.suffix in _YAML else None
    if option.name == "space":
        return pack(path, label=label) if path.suffix or "/" in value else None
    return pack(path, label=label) if _is_data(value, here) else None


def _is_data(dataset: str, here: Path) -> bool:
    """Whether these are images in a place, and no name."""
    named = dataset in {entry.name for entry in catalogue.DATASETS}
    written = dataset.lower().endswith(".npz") or "/" in dataset or dataset.startswith(".")
    return written or (not named and (here / dataset).exists())


def _data(inner: Inner, folder: Path, label: str) -> Sent | None:
    """Of a folder with data sets the one that is asked for; None if none is read from there."""
    dataset = inner.first("dataset") or "digits"
    if dataset == "digits" or dataset.startswith(SENT) or is_of_cluster(dataset):
        return None
    name = f"{dataset}.npz"
    if (folder / name).is_file():
        return pack(folder, label=label, only=[name])
    raise InputError(
        f"{label}: there is no {name} in it that could be sent.\n"
        "Leave it out, and the cluster fetches what it lacks; or give an absolute path there."
    )


def _written(sent: Sequence[Sent]) -> list[str]:
    """What stands in the YAML files: spaces may name modules, too."""
    paths = [path for each in sent for _, path in each.files if path.suffix in _YAML]
    return [path.read_text(errors="replace") for path in paths]


def _beside(path: Path, here: Path) -> Sent:
    """A file that is to lie where it lies here, seen from the user; by its name, if elsewhere.

    Raises:
        InputError: the folder that the user is in lies in it.
    """
    here, there = here.resolve(), Path(os.path.normpath(here.resolve() / path))
    if here.is_relative_to(there.resolve()):
        raise InputError(
            f"--with {path} is the folder that you are in, or has it inside: all of it would go.\n"
            "Name the files and folders in it that the job needs."
        )
    found = pack(there, label=f"--with {path}")
    base = here if there.is_relative_to(here) else there.parent
    return Sent(tuple((p.relative_to(base).as_posix(), p) for _, p in found.files))
