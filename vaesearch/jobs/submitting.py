"""From a command to a job on a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vaesearch.jobs.heads import Head
from vaesearch.jobs.luggage import Luggage
from vaesearch.jobs.making import Wishes, make_request


@dataclass(frozen=True)
class Submitted:
    """A job that was sent.

    Attributes:
        id: of the job.
        run_dir: of its command, empty if it has none.
        files: how many went with it, beside the package.
        size: of those, in bytes.
    """

    id: str
    run_dir: str
    files: int
    size: int


def submit(
    head: Head, luggage: Luggage, wishes: Wishes, *, typed: Sequence[str], dataset: str
) -> Submitted:
    """Send a command.

    Args:
        head: of the cluster.
        luggage: the command as it is to run, with what goes along.
        wishes: how to run.
        typed: the command as the user typed it.
        dataset: a word for names.

    Raises:
        InputError: something cannot be sent, or there is a job of this name.
        NoAnswerError: the head was lost on the way.
        VaesearchError: the head refuses it.
    """
    from vaesearch.jobs.client import send  # which needs Ray

    with TemporaryDirectory(prefix="vaesearch-job-") as folder:
        request = make_request(luggage, typed, dataset, head.ray_version, wishes, Path(folder))
        send(head, request.arguments)
    sent = luggage.sent
    return Submitted(
        request.id, request.run_dir, sum(len(s.files) for s in sent), sum(s.size for s in sent)
    )
