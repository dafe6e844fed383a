"""A folder in an object store, by way of fsspec (``s3://``, ``gs://``, ...)."""

from collections.abc import Sequence

import fsspec

from vaesearch.errors import InputError


class RemoteFolder:
    """See :class:`~vaesearch.storage.core.Folder`.

    Args:
        url: such as ``s3://bucket/runs/mnist``.

    Raises:
        InputError: no driver for this kind of URL.
    """

    def __init__(self, url: str) -> None:
        self.address = url.rstrip("/")
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError) as error:
            raise InputError(f"cannot use {url}: {error}") from error

    def read(self, name: str) -> bytes:
        """The bytes of the object."""
        content: bytes = self._files.cat_file(f"{self._root}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """One request, which an object store carries out whole or not at all."""
        self._files.pipe_file(f"{self._root}/{name}", content)

    def create(self, name: str, content: bytes) -> None:
        """One conditional request."""
        self._files.pipe_file(f"{self._root}/{name}", content, mode="create")

    def names(self, under: str = "") -> Sequence[str]:
        """Sorted, from the store and not from a cached listing."""
        self._files.invalidate_cache()
        found = self._files.find(f"{self._root}/{under}".rstrip("/"))
        return sorted(path.removeprefix(f"{self._root}/") for path in found)

    def remove(self, name: str) -> None:
        """Delete the object if it is there."""
        if self._files.exists(f"{self._root}/{name}"):
            self._files.rm_file(f"{self._root}/{name}")

    def child(self, name: str) -> "RemoteFolder":
        """A prefix inside this one."""
        return RemoteFolder(f"{self.address}/{name}")
