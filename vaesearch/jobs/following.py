"""Watching a job to its end, over connections that may break."""

import time
from collections.abc import Callable
from typing import Protocol

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.asking import NoAnswerError
from vaesearch.jobs.heads import Head
from vaesearch.jobs.listing import Job, get_job, get_log, request_stop

LOST_SECONDS = 300.0  # that a head may be away
_QUIET = 15.0  # without output, before the head is asked whether it is still there
_POLL = 0.5
_POLLED = 2.0
_FRUITLESS = 3  # connections, after which there is to be none
_SLOW = 20.0  # to start; longer than that is said
_STOP_SECONDS = 120.0


class Chunks(Protocol):
    """A connection that brings what a job prints."""

    def read(self, seconds: float) -> str | None:
        """What came next; empty after so many seconds without; None at the end."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Polled:
    """A job's output by asking for it again and again: some proxies let nothing else through."""

    def __init__(self, head: Head, name: str, sleep: Callable[[float], None]) -> None:
        self._head, self._name, self._sleep = head, name, sleep
        self._seen = 0

    def read(self, seconds: float) -> str | None:
        """What is new."""
        over = get_job(self._head, self._name).is_over
        fresh = get_log(self._head, self._name)[self._seen :]
        self._seen += len(fresh)
        if not fresh and over:
            return None
        if not fresh:
            self._sleep(_POLLED)
        return fresh

    def close(self) -> None:
        """Nothing is open."""


class Follower:
    """Shows what a job prints until it ends.

    Args:
        head: of the cluster.
        name: of the job.
        write: shows output.
        note: says what happens to the connection.
        connect: opens one, at the beginning of the output.
        sleep: waits for seconds.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        head: Head,
        name: str,
        *,
        write: Callable[[str], None],
        note: Callable[[str], None],
        connect: Callable[[Head, str], Chunks],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._head, self._name = head, name
        self._write, self._note, self._connect = write, note, connect
        self._sleep, self._clock = sleep, clock
        self._shown = 0  # characters
        self._fruitless = 0  # connections in a row that brought nothing new

    def follow(self) -> Job:
        """The job as it ended.

        Raises:
            InputError: the head does not know the job (any more).
            NoAnswerError: the head has been away for too long.
        """
        lost: float | None = None
        while True:
            try:
                self._await_start()
                if lost is not None:
                    self._note("The head answers again.")
                    lost = None
                self._read_or_leave()
                return self._await_end()
            except NoAnswerError as error:
                lost = self._clock() if lost is None else lost
                self._retry(lost, error)

    def _retry(self, lost: float, error: NoAnswerError) -> None:
        gone = self._clock() - lost
        if gone > LOST_SECONDS:
            raise NoAnswerError(
                f"the head has not answered for {gone:.0f} s ({error}).\n"
                "The job may still run: follow it again when the head is there."
            ) from error
        if gone == 0:
            self._note(f"{error}\nTrying again for {LOST_SECONDS / 60:.0f} minutes ...")
        self._sleep(min(10.0, 1.0 + gone / 4))

    def _await_start(self) -> None:
        since, said = self._clock(), False
        while (job := get_job(self._head, self._name)).status == "PENDING":
            if not said and self._clock() - since > _SLOW:
                self._note(f"Not started yet: {job.message}")
                said = True
            self._sleep(_POLL)

    def _read(self) -> None:
        """Show what has not been shown; each connection begins at the beginning."""
        self._fruitless += 1
        connect = self._connect if self._fruitless <= _FRUITLESS else self._polled
        chunks, skip = connect(self._head, self._name), self._shown
        try:
            while (text := chunks.read(_QUIET)) is not None:
                if not text:
                    get_job(self._head, self._name)  # raises where nobody answers
                    continue
                fresh, skip = text[skip:], max(0, skip - len(text))
                if fresh:
                    self._write(fresh)
                    self._shown += len(fresh)
                    self._fruitless = 0
        finally:
            chunks.close()

    def _polled(self, head: Head, name: str) -> Chunks:
        return Polled(head, name, self._sleep)

    def _read_or_leave(self) -> None:
        """As :meth:`_read`; what a lost node has printed is lost, but the job's end is known."""
        try:
            self._read()
        except NoAnswerError:
            if not get_job(self._head, self._name).is_over:
                raise
            self._note("The rest of what it printed cannot be had: the driver's node is gone.")

    def _await_end(self) -> Job:
        while not (job := get_job(self._head, self._name)).is_over:
            self._sleep(_POLL)
        return job


def stop(
    head: Head,
    job: Job,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Job:
    """End a job in order, and wait until it has ended.

    Raises:
        VaesearchError: it goes on in spite of all.
    """
    request_stop(head, job.id)
    begun = clock()
    while clock() < begun + _STOP_SECONDS:
        job = get_job(head, job.id)
        if job.status == "PENDING" and clock() > begun + _SLOW:
            raise VaesearchError(
                f"{job.id} still waits for room, and Ray stops only what has begun: it is asked "
                "to end as soon as it begins.\nRay gives it up by itself after 15 minutes."
            )
        if job.is_over:
            return job
        sleep(_POLL)
    raise VaesearchError(
        f"{job.id} has not ended within {_STOP_SECONDS:.0f} s ({job.status}); ask again later "
        "with `vaesearch jobs`."
    )


def lost_job(name: str, run_dir: str, error: InputError) -> VaesearchError:
    """A head that was restarted knows nothing of its jobs: what is left, and how to go on."""
    where = f"resume {run_dir}" if run_dir else "the same command and --or-resume"
    return VaesearchError(
        f"{error} It was started anew, and the job ended with it; its ledger has what was "
        f"finished.\nGo on with: vaesearch submit -- {where}"
    )
