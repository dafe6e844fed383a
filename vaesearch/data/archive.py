"""Images in a .npz file, in the convention of Keras: x_train, y_train, x_test, y_test."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from vaesearch.data.labels import Array, Raw
from vaesearch.errors import DataError

# What numpy and zipfile raise on bytes that are not what they seem to be.
DAMAGE = (
    ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npz(path: Path) -> Raw:
    """The arrays of a file, of whatever shape and kind they are; all but ``x_train`` may lack.

    Raises:
        DataError: no such file, it is damaged, or it has no ``x_train``.
    """
    try:
        return _read(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    except DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path} is damaged or not a .npz file ({reason}).\n"
            "Copy or save it again, with uint8 arrays x_train and x_test."
        ) from error


def _read(path: Path) -> Raw:
    # The file is opened here because numpy leaves it open when it turns out to be damaged.
    with path.open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(f"{path} holds a single array; save it with numpy.savez(x_train=...).")
        if "x_train" not in archive:
            found = ", ".join(archive.files) or "nothing"
            raise DataError(f"{path} holds {found}; it needs x_train and, if possible, x_test.")
        train, test = np.asarray(archive["x_train"]), _member(archive, "x_test")
        return Raw(train, test, _labels(archive, "y_train"), _labels(archive, "y_test"))


def _member(archive: Any, name: str) -> Array | None:
    # numpy hands out members that are no arrays as bytes.
    return np.asarray(archive[name]) if name in archive else None


def _labels(archive: Any, name: str) -> Array | None:
    try:
        return _member(archive, name)
    except ValueError:  # objects, which are not unpickled: images are of use without labels
        return None
