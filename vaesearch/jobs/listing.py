"""Jobs as their head tells of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.asking import Answer, NoAnswerError, ask
from vaesearch.jobs.heads import Head
from vaesearch.jobs.naming import find_id

INTERRUPTED = 130
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
_STATUSES = (1, 2, INTERRUPTED)


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        id: of its submission, or Ray's number of a driver that was not submitted.
        status: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        message: of Ray, on the status.
        started: Unix time in seconds.
        ended: likewise; None while it runs.
        command: as it was typed; the entry point of a job that is not ours.
        run_dir: of our command.
        user: who sent it.
        version: of our package; empty for a job that is not ours.
        exit_code: of its driver, if that ran.
    """

    id: str
    status: str
    message: str = ""
    started: float | None = None
    ended: float | None = None
    command: str = ""
    run_dir: str = ""
    user: str = ""
    version: str = ""
    exit_code: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether ``vaesearch submit`` sent it."""
        return bool(self.version)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in _ENDED

    @property
    def exit_status(self) -> int | None:
        """What the command would have ended with here; None while it runs."""
        if not self.is_over:
            return None
        if self.status == "STOPPED":
            return INTERRUPTED
        if self.status == "SUCCEEDED":
            return 0
        return self.exit_code if self.exit_code in _STATUSES else 1

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return vars(self) | {"exit_status": self.exit_status}


def list_jobs(head: Head) -> list[Job]:
    """All jobs of the cluster, the newest first.

    Raises:
        NoAnswerError: the head does not answer.
        VaesearchError: it answers with an error.
    """
    found = _checked(ask(f"{head.url}/api/jobs/", head.headers)).data()
    if not isinstance(found, list):
        raise VaesearchError(f"{head.url} sent no list of jobs.")
    jobs = [_job(entry) for entry in found]
    return sorted(jobs, key=lambda job: job.started or 0.0, reverse=True)


def find_job(head: Head, text: str) -> Job:
    """The job of that name, or whose name begins so.

    Raises:
        InputError: none or several; says which are near.
        NoAnswerError: the head does not answer.
    """
    jobs = {job.id: job for job in list_jobs(head)}
    return jobs[find_id(text, list(jobs))]


def get_job(head: Head, name: str) -> Job:
    """The job of exactly that name.

    Raises:
        InputError: the head knows no such job.
        NoAnswerError: the head does not answer.
    """
    answer = ask(f"{head.url}/api/jobs/{name}", head.headers)
    if answer.status == 404:
        raise InputError(f"{head.url} knows no job {name}.")
    return _job(_checked(answer).data())


def get_log(head: Head, name: str) -> str:
    """All that a job has printed so far.

    Raises:
        NoAnswerError: the head does not answer.
        VaesearchError: it answers with an error.
    """
    found = _checked(ask(f"{head.url}/api/jobs/{name}/logs", head.headers)).data() or {}
    return str(found.get("logs") or "")


def request_stop(head: Head, name: str) -> None:
    """Ask for the end of a job: it gets a signal, and later, if need be, SIGKILL.

    Raises:
        NoAnswerError: the head does not answer.
        VaesearchError: it answers with an error.
    """
    _checked(ask(f"{head.url}/api/jobs/{name}/stop", head.headers, method="POST"))


def _checked(answer: Answer) -> Answer:
    if answer.status in (502, 503, 504):
        raise NoAnswerError(f"the head does not answer (status {answer.status}).")
    if answer.status != 200:
        lines = answer.text.strip().splitlines() or [""]
        raise VaesearchError(f"the head answers with status {answer.status}: {lines[-1][:200]}")
    return answer


def _job(entry: Mapping[str, Any]) -> Job:
    metadata: Mapping[str, str] = entry.get("metadata") or {}
    return Job(
        id=str(entry.get("submission_id") or entry.get("job_id") or "?"),
        status=str(entry.get("status")),
        message=str(entry.get("message") or ""),
        started=_seconds(entry.get("start_time")),
        ended=_seconds(entry.get("end_time")),
        command=metadata.get("command") or str(entry.get("entrypoint") or ""),
        run_dir=metadata.get("run_dir", ""),
        user=metadata.get("user", ""),
        version=metadata.get("vaesearch", ""),
        exit_code=entry.get("driver_exit_code"),
    )


def _seconds(milliseconds: int | None) -> float | None:
    return milliseconds / 1000 if milliseconds else None


def ours(jobs: Sequence[Job]) -> list[Job]:
    """Those that ``vaesearch submit`` sent."""
    return [job for job in jobs if job.is_ours]
