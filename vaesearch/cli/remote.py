"""Questions that a cluster answers: a command of ours as a small job, whose JSON comes back."""

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vaesearch.errors import VaesearchError

if TYPE_CHECKING:
    from vaesearch.jobs.heads import Head
    from vaesearch.jobs.listing import Job
    from vaesearch.jobs.luggage import Luggage

SECONDS = 420.0  # a job starts in a few, but a cluster may have to grow first
POLL = 1.0


def ask_there(head: "Head", luggage: "Luggage", *, seconds: float = SECONDS) -> Any:
    """What a command with ``--json`` prints when it runs on the cluster.

    Args:
        head: of the cluster.
        luggage: the command; its paths are those of the cluster.
        seconds: that it may take.

    Raises:
        VaesearchError: it printed nothing that can be used; what it said instead.
    """
    from vaesearch.jobs.listing import get_job, get_log, request_stop
    from vaesearch.jobs.making import Wishes
    from vaesearch.jobs.submitting import submit

    typed = luggage.inner.words
    sent = submit(head, luggage, Wishes(), typed=typed, dataset="")
    deadline = time.monotonic() + seconds
    job = get_job(head, sent.id)
    while not job.is_over:
        if time.monotonic() > deadline:
            request_stop(head, sent.id)
            raise VaesearchError(f"the job {sent.id} did not end within {seconds:.0f} s.")
        time.sleep(POLL)
        job = get_job(head, sent.id)
    printed = get_log(head, sent.id)
    try:
        return answer_in(printed)
    except ValueError:
        raise VaesearchError(_said(job, printed)) from None


def answer_in(printed: str) -> Any:
    r"""The JSON in what a job printed, among the remarks of Ray and of libraries.

    >>> answer_in("a remark\n[\n 1\n]\nanother")
    [1]

    Raises:
        ValueError: there is none.
    """
    decoder = json.JSONDecoder()
    lines = printed.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.strip() in ("[", "{", "[]"):
            with suppress(ValueError):  # a remark may look so, too
                return decoder.raw_decode("".join(lines[number:]).lstrip())[0]
    raise ValueError("no JSON")


def _said(job: "Job", printed: str) -> str:
    """The last error that was printed, or Ray's own word on the job."""
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    if errors:
        at = printed.rindex(errors[-1])
        return printed[at:].strip().removeprefix("error: ")
    last = (printed.strip().splitlines() or [job.message.strip()])[-1]
    return f"the job {job.id} ended as {job.status}: {last[:300]}"
