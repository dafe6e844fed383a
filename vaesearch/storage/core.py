"""What the rest of the package asks of a folder, wherever it lies."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

from vaesearch.errors import InputError

PATIENCE = 120.0  # seconds
_SQUEEZED = re.compile(r"^(s3a?|gs|gcs|memory):/(?!/)")


class Folder(Protocol):
    """Files by name (``/`` inside names is allowed), each written whole or not at all.

    Instances can be pickled and sent to other machines, and used by several threads. All methods
    raise OSError where the storage refuses or does not answer, after a few attempts where trying
    again may help.

    Attributes:
        address: the path or URL, as a person would write it.
    """

    address: str

    def read(self, name: str) -> bytes:
        """The content of a file; FileNotFoundError if there is none."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file durably: it holds the old or the new bytes whole, even after a crash."""
        ...

    def create(self, name: str, content: bytes) -> None:
        """Write a file that is not there yet; FileExistsError if it is, whoever was faster.

        One that holds these very bytes is no error: a request whose answer was lost is sent
        again. Where two must not both succeed, each puts a word of its own into the content.
        """
        ...

    def names(self, under: str = "") -> Sequence[str]:
        """Names of all files, or of those whose name begins with ``under/``, sorted."""
        ...

    def stamps(self, under: str = "") -> Mapping[str, str]:
        """The same names, each with a word that is another one when the content has changed."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file if it is there."""
        ...

    def child(self, name: str) -> Self:
        """The folder ``name`` inside this one."""
        ...


def is_url(where: str | Path) -> bool:
    """Whether ``where`` is an address such as ``s3://bucket/runs`` and no path.

    >>> is_url("s3://bucket/runs/a"), is_url("runs/a"), is_url(Path("C:/runs"))
    (True, False, False)
    >>> is_url("file:///runs/a")
    False
    """
    scheme, found, _ = str(where).partition("://")
    return bool(found) and scheme.isalnum() and scheme.lower() != "file"


def place_of(where: str | Path) -> str | Path:
    """A URL without slashes at its end, or a path; ``file://`` is a path written as a URL.

    A URL that was made a ``Path`` has lost a slash, which it gets back.

    >>> place_of("s3://bucket/runs/a/"), place_of("file:///runs/a")
    ('s3://bucket/runs/a', PosixPath('/runs/a'))
    >>> place_of(Path("s3://bucket/runs/a"))
    's3://bucket/runs/a'
    """
    text = str(where)
    if isinstance(where, Path):
        text = _SQUEEZED.sub(r"\1://", text)
    if is_url(text):
        scheme, _, path = text.partition("://")
        return f"{scheme}://{path.rstrip('/')}"
    return Path(unquote(urlsplit(text).path) if text.startswith("file://") else where)


def inside(where: str | Path, name: str) -> str | Path:
    """The place ``name`` inside of another.

    >>> inside("s3://bucket/runs", "a"), inside(Path("runs"), "a")
    ('s3://bucket/runs/a', PosixPath('runs/a'))
    """
    place = place_of(where)
    return f"{place}/{name}" if isinstance(place, str) else place / name


def folder_of(where: str | Path, *, patience: float | None = None) -> Folder:
    """The folder at a path or URL, which need not exist yet; nothing is asked of it here.

    Args:
        where: the path or URL.
        patience: seconds to go on trying where a remote storage does not answer; by default
            ``$VAESEARCH_STORAGE_SECONDS``, or two minutes.

    Raises:
        InputError: a URL of a kind that cannot be used, or whose driver is not installed.
    """
    from vaesearch.storage.local import LocalFolder
    from vaesearch.storage.remote import RemoteFolder

    place = place_of(where)
    return RemoteFolder(place, patience) if isinstance(place, str) else LocalFolder(place)


def default_patience() -> float:
    """``$VAESEARCH_STORAGE_SECONDS``, or two minutes.

    Raises:
        InputError: it is no number.
    """
    given = os.environ.get("VAESEARCH_STORAGE_SECONDS") or str(PATIENCE)
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(f"VAESEARCH_STORAGE_SECONDS={given} is no number of seconds.")
    return seconds
