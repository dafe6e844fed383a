"""A folder in an object store, by way of fsspec (``s3://``, ``gs://``, ...).

Addresses and credentials come from the environment and the files that the drivers read
themselves, such as ``AWS_ACCESS_KEY_ID`` and ``AWS_ENDPOINT_URL``, on every machine anew.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fsspec

from vaesearch.errors import InputError
from vaesearch.storage.core import default_patience, place_of
from vaesearch.storage.failures import failure_of

LONGEST_PAUSE = 8.0
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
# A request that gets no answer is given up on and sent again here, and by nobody below.
_S3 = {
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 60,
        "retries": {"mode": "standard", "total_max_attempts": 1},
    }
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": _S3, "s3a": _S3, "gs": {"requests_timeout": 60}, "gcs": {"requests_timeout": 60},
}  # fmt: skip


class RemoteFolder:
    """See :class:`~vaesearch.storage.core.Folder`.

    Args:
        url: such as ``s3://bucket/runs/mnist``.
        patience: seconds to go on trying what may pass; a request under way is not cut short.

    Raises:
        InputError: no driver for this kind of URL.
    """

    def __init__(self, url: str, patience: float | None = None) -> None:
        self.address = str(place_of(url))
        self.patience = default_patience() if patience is None else patience
        self._scheme, _, path = self.address.partition("://")
        self._known: tuple[int, Any] = (0, None)
        _check_driver(self._scheme, url)
        self._root = path.strip("/")
        if not self._root:
            raise InputError(f"{url} names no bucket: write {self._scheme}://BUCKET/FOLDER.")

    def __getstate__(self) -> dict[str, Any]:
        """No connection travels: the next machine has its own."""
        return self.__dict__ | {"_known": (0, None)}

    def read(self, name: str) -> bytes:
        """The bytes of the object."""
        content: bytes = self._try(lambda files, path: files.cat_file(path), name, reading=True)
        return content

    def write(self, name: str, content: bytes) -> None:
        """One request, which an object store carries out whole or not at all."""
        self._try(lambda files, path: files.pipe_file(path, content), name)

    def create(self, name: str, content: bytes) -> None:
        """One conditional request."""
        try:
            self._try(lambda files, path: files.pipe_file(path, content, mode="create"), name)
        except FileExistsError:
            if self.read(name) != content:
                raise

    def names(self, under: str = "") -> Sequence[str]:
        """Sorted, from the store and not from a cached listing."""
        return sorted(self.stamps(under))

    def stamps(self, under: str = "") -> Mapping[str, str]:
        """Whatever the store says of an object's version, or time and size."""
        found = self._try(_find, under, reading=True, missing={})
        start = f"{self._root}/"
        return {
            path.lstrip("/").removeprefix(start): _stamp(info)
            for path, info in sorted(found.items())
        }

    def remove(self, name: str) -> None:
        """Delete the object if it is there."""
        self._try(_remove, name, reading=True, missing=None)

    def child(self, name: str) -> "RemoteFolder":
        """A prefix inside this one."""
        return RemoteFolder(f"{self.address}/{name}", self.patience)

    def _try(
        self,
        act: Callable[[Any, str], Any],
        name: str,
        *,
        reading: bool = False,
        missing: Any = ...,
    ) -> Any:
        """Do something, again and again where what is wrong may pass."""
        address = f"{self.address}/{name}".rstrip("/")
        path = f"{self._root}/{name}".rstrip("/")
        deadline = time.monotonic() + self.patience
        for attempt in range(10**6):
            try:
                return act(self._files(), path)
            except FileExistsError:
                raise
            except Exception as error:
                failure = failure_of(error, address, reading=reading)
                if failure is None:
                    raise
                if missing is not ... and isinstance(failure.error, FileNotFoundError):
                    return missing
                pause = _pause(attempt)
                if not failure.may_pass or time.monotonic() + pause > deadline:
                    raise failure.error from error
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _files(self) -> Any:
        """The driver, made anew in a process that was forked."""
        process, files = self._known
        if process != os.getpid():
            options = {"use_listings_cache": False, **_OPTIONS.get(self._scheme, {})}
            files = fsspec.filesystem(self._scheme, **options)
            if self._scheme in ("s3", "s3a"):
                files.retries = 1
            self._known = (os.getpid(), files)
        return files


def _check_driver(scheme: str, url: str) -> None:
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        extra = EXTRAS.get(scheme)
        cure = f"pip install 'vaesearch[{extra}]'" if extra else str(error)
        raise InputError(f"{url} needs a driver that is not installed.\n{cure}") from error
    except ValueError as error:
        raise InputError(
            f"{url}: {scheme}:// is no kind of storage that is known.\n"
            "Give a path, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER."
        ) from error


def _pause(attempt: int) -> float:
    """Seconds; drawn, so that a hundred workers do not come back at the same moment."""
    longest = min(LONGEST_PAUSE, 0.2 * 2 ** min(attempt, 10))
    return random.SystemRandom().uniform(longest / 2, longest)


def _find(files: Any, path: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = files.find(path, detail=True)
    # An object of that very name is no folder.
    return {name: info for name, info in found.items() if name.strip("/") != path}


def _remove(files: Any, path: str) -> None:
    files.rm_file(path)


def _stamp(info: Mapping[str, Any]) -> str:
    for word in ("ETag", "etag", "generation", "md5Hash"):
        if info.get(word):
            return str(info[word])
    changed = info.get("LastModified") or info.get("created") or info.get("mtime")
    return f"{changed}-{info.get('size')}"
