"""Whether two machines see the same folder, found out by leaving a file in it.

One process leaves a token, the others look for it and write an answer; the first can then read
who answered. A folder that merely has the same path on another machine has no such token.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence

from vaesearch.errors import StorageError
from vaesearch.storage.core import Folder, is_url

FOLDER = ".probe"
ATTEMPTS = 4  # a network file system may show a new file a moment late
PAUSE_SECONDS = 0.5


def leave(folder: Folder) -> str:
    """Write a token into ``folder``, and read it back; returns the token.

    Raises:
        StorageError: the folder cannot be written or read from this machine.
    """
    token = uuid.uuid4().hex
    name = f"{FOLDER}/{token}"
    try:
        folder.write(name, machine().encode())
        same = folder.read(name) == machine().encode()
    except OSError as error:
        raise StorageError(_failure("write", folder, error)) from error
    if not same:
        raise StorageError(f"{machine()} reads other bytes from {folder.address} than it wrote.")
    return token


def find(folder: Folder, token: str, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Look for the token that another process left, and write an answer beside it.

    Args:
        folder: the folder as this machine sees it.
        token: what :func:`leave` returned there.
        pause: waits for a number of seconds.

    Raises:
        StorageError: this machine sees another folder, or cannot read or write this one.
    """
    _await(folder, token, pause)
    try:
        folder.write(f"{FOLDER}/{token}.{machine()}.{os.getpid()}", b"")
    except OSError as error:
        raise StorageError(_failure("write", folder, error)) from error


def answers(folder: Folder, token: str) -> Sequence[str]:
    """``MACHINE.PID`` of every process that found the token.

    Raises:
        StorageError: the folder cannot be listed.
    """
    start = f"{FOLDER}/{token}."
    try:
        names = folder.names(FOLDER)
    except OSError as error:
        raise StorageError(_failure("list", folder, error)) from error
    return [name.removeprefix(start) for name in names if name.startswith(start)]


def clear(folder: Folder, token: str) -> None:
    """Remove the token and its answers; no error where that fails, for nothing depends on it."""
    try:
        for name in folder.names(FOLDER):
            if name.startswith(f"{FOLDER}/{token}"):
                folder.remove(name)
    except OSError:
        return


def machine() -> str:
    """This machine, as its network calls it."""
    return socket.gethostname() or "this machine"


def _await(folder: Folder, token: str, pause: Callable[[float], None]) -> None:
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            folder.read(f"{FOLDER}/{token}")
            return
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise StorageError(_failure("read", folder, error)) from error
    raise StorageError(
        f"{machine()} sees another {folder.address} than the process that started the search: "
        "use storage that all nodes share, such as --run-dir s3://bucket/runs."
    )


def _failure(act: str, folder: Folder, error: OSError) -> str:
    cure = (
        "give this machine the address and the credentials of the storage"
        if is_url(folder.address)
        else "use storage that all nodes share, such as --run-dir s3://bucket/runs"
    )
    return f"{machine()} cannot {act} {folder.address} ({error.strerror or error}): {cure}."
