"""Ray's own client, which packs, sends and follows logs; only this module here imports Ray."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ray.job_submission import JobSubmissionClient

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.addresses import is_loopback
from vaesearch.jobs.asking import NoAnswerError
from vaesearch.jobs.heads import Head

_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")  # Ray prefers them to what it is given

_CHATTY = (
    "ray.dashboard.modules.dashboard_sdk", "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)  # fmt: skip


def send(head: Head, arguments: Mapping[str, Any]) -> None:
    """Send what travels, and the job.

    Raises:
        InputError: there is a job of that name.
        NoAnswerError: the head was lost on the way.
        VaesearchError: the head refuses it.
    """
    name = arguments["submission_id"]
    try:
        _client(head).submit_job(**arguments)
    except RuntimeError as error:
        if "already exists" in str(error):
            raise InputError(
                f"there is a job {name} on {head.url}: choose another --id, or leave it out."
            ) from error
        raise VaesearchError(f"{head.url} refuses the job: {_last_line(error)}") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"Ray cannot send this job: {_last_line(error)}") from error
    except OSError as error:  # what `requests` raises is of this kind
        raise NoAnswerError(
            f"{head.url} was lost while the job was sent ({_last_line(error)}).\n"
            f"See with `vaesearch jobs --address {head.url}` whether it has {name}."
        ) from error


class Tail:
    """What a job prints, from its beginning, as it comes.

    Args:
        head: of the cluster.
        name: of the job.
    """

    def __init__(self, head: Head, name: str) -> None:
        self._runner = asyncio.Runner()
        self._chunks: AsyncIterator[str] = _client(head).tail_job_logs(name)
        self._next: asyncio.Task[str] | None = None

    def read(self, seconds: float) -> str | None:
        """What came next; empty if nothing came for ``seconds``; None at the end.

        Raises:
            NoAnswerError: the connection is lost.
        """
        try:
            return self._runner.run(self._wait(seconds))
        except (StopAsyncIteration, _EndError):
            return None
        except KeyboardInterrupt:
            raise
        except Exception as error:  # of the libraries beneath, which are several
            raise NoAnswerError(f"the connection is lost: {_last_line(error)}") from error

    async def _wait(self, seconds: float) -> str:
        if self._next is None:
            self._next = asyncio.ensure_future(_following(self._chunks))
        done, _ = await asyncio.wait({self._next}, timeout=seconds)
        if not done:
            return ""
        task, self._next = self._next, None
        return task.result()

    def close(self) -> None:
        """Hang up."""
        self._runner.close()


class _EndError(Exception):
    """There is no more; ``StopAsyncIteration`` must not leave a task."""


async def _following(chunks: AsyncIterator[str]) -> str:
    try:
        return await anext(chunks)
    except StopAsyncIteration:
        raise _EndError from None


class _Client(JobSubmissionClient):  # type: ignore[misc]
    """Shows its headers to this head only: it is not redirected, nor sent by way of a proxy."""

    def _do_request(self, method: str, endpoint: str, **options: Any) -> Any:
        if is_loopback(urlsplit(self._address).hostname or ""):
            options["proxies"] = {"http": None, "https": None, "all": None}
        options["allow_redirects"] = False
        reply = super()._do_request(method, endpoint, **options)
        if reply.is_redirect:
            raise RuntimeError(f"it redirects to {reply.headers['Location'][:200]}")
        return reply


def _client(head: Head) -> JobSubmissionClient:
    """Ray's client, quiet, for this head and no other."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    headers = dict(head.headers)
    if not any(name.lower() == "authorization" for name in headers):
        headers["Authorization"] = ""  # else Ray may add a token that this head did not ask for
    with _without(_ADDRESSES):
        return _Client(head.url, headers=headers)


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Without these variables of the environment, for a moment."""
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(before)


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip(" .'\"}")]
    return lines[-1].strip()[:300] if lines else type(error).__name__
