"""What the rest of the package asks of a folder, wherever it lies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Folder(Protocol):
    """Files by name (``/`` inside names is allowed), each written whole or not at all.

    Instances can be pickled and sent to other machines. All methods raise OSError where the
    storage refuses or does not answer, after a few attempts where trying again may help.

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
        """Write a file that is not there yet; FileExistsError if it is, whoever was faster."""
        ...

    def names(self, under: str = "") -> Sequence[str]:
        """Names of all files, or of those whose name begins with ``under/``, sorted."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file if it is there."""
        ...

    def child(self, name: str) -> "Folder":
        """The folder ``name`` inside this one."""
        ...


def is_url(where: str | Path) -> bool:
    """Whether ``where`` is an address such as ``s3://bucket/runs`` and no path.

    >>> is_url("s3://bucket/runs/a"), is_url("runs/a"), is_url(Path("C:/runs"))
    (True, False, False)
    """
    scheme, found, _ = str(where).partition("://")
    return bool(found) and scheme.isalnum()


def folder_of(where: str | Path) -> Folder:
    """The folder at a path or URL, which need not exist yet.

    Raises:
        InputError: a URL of a kind that cannot be used, or whose driver is not installed.
    """
    from vaesearch.storage.local import LocalFolder
    from vaesearch.storage.remote import RemoteFolder

    return RemoteFolder(str(where)) if is_url(where) else LocalFolder(Path(where))
