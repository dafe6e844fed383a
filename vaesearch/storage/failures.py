"""What the drivers of object stores raise, as OSErrors: which of them may pass, and what to do."""

import errno
import re
from dataclasses import dataclass

TRANSIENT_CODES = {
    "408", "409", "425", "429", "500", "502", "503", "504", "ConditionalRequestConflict",
    "InternalError", "OperationAborted", "RequestLimitExceeded", "RequestTimeout",
    "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests",
}  # fmt: skip
FULL_CODES = {"507", "InsufficientCapacity", "QuotaExceeded", "XMinioStorageFull"}
TRANSIENT_NUMBERS = {
    errno.EBUSY, errno.EAGAIN, errno.EINTR, errno.ECONNRESET, errno.ECONNREFUSED,
    errno.ECONNABORTED, errno.ETIMEDOUT, errno.EPIPE, errno.EREMOTEIO, errno.ENETUNREACH,
    errno.EHOSTUNREACH, errno.ENETDOWN,
}  # fmt: skip
# The drivers' own errors have no class in common, and importing all of them is slow.
_DRIVERS = {
    "adlfs", "aiobotocore", "aiohttp", "asyncio", "azure", "botocore", "fsspec", "gcsfs",
    "google", "requests", "s3fs", "socket", "ssl", "urllib3",
}  # fmt: skip
_PASSING = re.compile("Timeout|Connect|Disconnect|IncompleteRead|Payload|HTTPClient|Checksum")


@dataclass(frozen=True)
class Failure:
    """An error in the words of the operating system, and whether it may pass by itself."""

    error: OSError
    may_pass: bool


def failure_of(error: Exception, address: str, *, reading: bool) -> Failure | None:
    """What an error of a driver means; None for an error that is a fault of a program.

    Args:
        error: as it was raised.
        address: of the file or folder.
        reading: whether a missing file is meant by "not found"; else it is the bucket.
    """
    code, text = _code(error), " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError):
        if reading and not _is_of_bucket(text, address):
            return Failure(FileNotFoundError(errno.ENOENT, "no such file", address), False)
        return Failure(OSError(errno.ENXIO, "there is no such bucket", address), False)
    if isinstance(error, PermissionError):
        number = errno.EROFS if "read-only" in text.lower() else errno.EACCES
        return Failure(OSError(number, f"access denied: {text}", address), False)
    if code in FULL_CODES or getattr(error, "errno", None) == errno.ENOSPC:
        return Failure(OSError(errno.ENOSPC, "the storage is full", address), False)
    if "credentials" in type(error).__name__.lower() or "Unable to locate cred" in text:
        return Failure(OSError(errno.EACCES, f"no credentials: {text}", address), False)
    if code in ("401", "403"):
        return Failure(OSError(errno.EACCES, f"access denied: {text}", address), False)
    if code in TRANSIENT_CODES:
        return Failure(OSError(errno.EBUSY, text, address), True)
    if isinstance(error, OSError):
        may_pass = error.errno in TRANSIENT_NUMBERS or isinstance(
            error, ConnectionError | TimeoutError
        )
        number = error.errno or (errno.ETIMEDOUT if may_pass else errno.EIO)
        return Failure(OSError(number, error.strerror or text, address), may_pass)
    if type(error).__module__.partition(".")[0] not in _DRIVERS:
        return None
    may_pass = any(_PASSING.search(cls.__name__) for cls in type(error).__mro__)
    return Failure(OSError(errno.EHOSTUNREACH if may_pass else errno.EIO, text, address), may_pass)


def _is_of_bucket(text: str, address: str) -> bool:
    """Whether it is the bucket that is missing; names with that word in them do not count."""
    words = text.replace(address, "").replace(address.partition("://")[2], "").split()
    return any(word.strip("\"'.,:;()").lower() == "bucket" for word in words)


def _code(error: BaseException) -> str:
    """What the server called the error, wherever the driver has put it."""
    for each in (error, error.__cause__):
        response = getattr(each, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        status = getattr(each, "status", None) or getattr(each, "code", None)
        if isinstance(status, int):
            return str(status)
    return ""
