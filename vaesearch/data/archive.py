"""Images in a .npz file, in the convention of Keras: x_train, y_train, x_test, y_test."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesearch.errors import DataError

Array = npt.NDArray[Any]
# What numpy and zipfile raise on bytes that are not what they seem to be.
DAMAGE = (
    ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npz(path: Path) -> tuple[Array, Array | None]:
    """The arrays ``x_train`` and ``x_test`` of a file, of whatever shape and kind they are.

    Returns:
        Training images and test images, or None for the latter where there is no ``x_test``.

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


def _read(path: Path) -> tuple[Array, Array | None]:
    # The file is opened here because numpy leaves it open when it turns out to be damaged.
    with path.open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(f"{path} holds a single array; save it with numpy.savez(x_train=...).")
        if "x_train" not in archive:
            found = ", ".join(archive.files) or "nothing"
            raise DataError(f"{path} holds {found}; it needs x_train and, if possible, x_test.")
        # numpy hands out members that are no arrays as bytes.
        train, test = np.asarray(archive["x_train"]), archive.get("x_test")
        return train, None if test is None else np.asarray(test)
