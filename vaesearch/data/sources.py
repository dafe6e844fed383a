"""From what the user calls a data set to the thing that can be read."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vaesearch import catalogue
from vaesearch.data.archive import read_npz
from vaesearch.data.folder import list_images, read_images
from vaesearch.data.labels import Raw, from_folders
from vaesearch.errors import DataError, InputError, unknown_name


@dataclass(frozen=True)
class Source:
    """Where images come from.

    Attributes:
        name: short, for people.
        label: what errors call it: a path, or the name.
        identity: text that changes whenever the images may have changed.
        read: gives the images, and their labels where there are any.
    """

    name: str
    label: str
    identity: str
    read: Callable[[], Raw]


def find_source(dataset: str, *, data_dir: Path, image_size: int) -> Source:
    """Say what ``dataset`` means; no image is read or downloaded yet.

    In this order: a path that ends in ``.npz``; a folder, where it is written with a separator or
    is no name of the catalogue; ``NAME.npz`` in ``data_dir``; a name of the catalogue.

    Raises:
        DataError: the path does not exist or cannot be read, or the folder has no images.
        InputError: neither a path nor a known name.
    """
    try:
        return _find(dataset, data_dir, image_size)
    except OSError as error:
        raise DataError(f"cannot read {error.filename or dataset}: {error.strerror}.") from error


def _find(dataset: str, data_dir: Path, image_size: int) -> Source:
    path = Path(os.path.expanduser(dataset))
    if path.suffix.lower() == ".npz":
        return _archive_source(path)
    entry = next((e for e in catalogue.DATASETS if e.name == dataset), None)
    if _is_path(dataset) or (dataset and entry is None and path.exists()):
        return _folder_source(path, image_size)
    archive = data_dir / f"{dataset}.npz"
    if archive.is_file():
        return _archive_source(archive)
    if entry is None:
        raise _unknown(dataset, data_dir)
    # What a name stands for never changes, wherever its files are kept.
    read = partial(entry.load(), data_dir=data_dir, image_size=image_size)
    return Source(dataset, dataset, f"catalogue {dataset}", read)


def _is_path(dataset: str) -> bool:
    return os.sep in dataset or "/" in dataset or dataset.startswith((".", "~"))


def _archive_source(path: Path) -> Source:
    if not path.is_file():
        raise DataError(f"no file {path}: give a .npz file with uint8 arrays x_train and x_test.")
    return Source(path.stem, str(path), f"file {_stamp(path)}", partial(read_npz, path))


def _folder_source(folder: Path, image_size: int) -> Source:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(
            f"{folder} {what}: give PATH.npz, a folder of images, or a name of "
            "`vaesearch list datasets`."
        )
    paths = list_images(folder)
    listing = hashlib.sha256("\n".join(map(_stamp, paths)).encode(errors="surrogateescape"))
    return Source(
        name=folder.resolve().name,
        label=str(folder),
        identity=f"folder {folder.resolve()} {listing.hexdigest()}",
        read=lambda: Raw(read_images(paths, image_size), train_labels=from_folders(paths, folder)),
    )


def _stamp(path: Path) -> str:
    """Path, size and time of the last change."""
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _unknown(dataset: str, data_dir: Path) -> InputError:
    names = {e.name for e in catalogue.DATASETS} | {p.stem for p in data_dir.glob("*.npz")}
    return InputError(
        f"{unknown_name('dataset', dataset, names)}\n"
        f"PATH.npz, a folder of images, or NAME for NAME.npz in {data_dir} are accepted too."
    )
