"""``vaesearch jobs``, ``logs`` and ``stop``: what was sent to a cluster."""

import json
import shlex
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vaesearch.cli.submit import head_options, hints, say
from vaesearch.cli.terminal import InterruptedSearchError
from vaesearch.errors import InputError, VaesearchError

if TYPE_CHECKING:
    from vaesearch.jobs.heads import Head
    from vaesearch.jobs.listing import Job

_WIDEST = 200
_SAID = "Run directory: "  # by the starter
_BEGUN = "vaesearch resume"  # by a search that was stopped


class JobEndedError(VaesearchError):
    """A job did not end well; the command that watched it ends as the job did."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.exit_status = status


def _head(options: dict[str, Any]) -> "Head":
    from vaesearch.jobs.heads import find_head

    # Reading and stopping mean the same for every version, so that none is refused here.
    return find_head(
        options["address"], insecure=options["insecure"], other_versions=True, note=say
    )


@click.command()
@head_options
@click.option("--all", "every", is_flag=True, help="those of other programs, too")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
def jobs(every: bool, as_json: bool, **options: Any) -> None:
    """List the jobs that were submitted to a cluster, the newest first."""
    from vaesearch.jobs.listing import list_jobs, ours

    found = list_jobs(_head(options))
    shown = found if every else ours(found)
    if as_json:
        click.echo(json.dumps([job.to_dict() for job in shown], indent=2))
    elif shown:
        _show(shown)
    else:
        others = f" (and {len(found)} of other programs: --all)" if found else ""
        click.echo(f"No job was submitted by vaesearch{others}.")


@click.command()
@head_options
@click.argument("job_id")
@click.option("--follow", "-f", is_flag=True, help="go on until the job ends; Ctrl-C leaves it")
def logs(job_id: str, follow: bool, **options: Any) -> None:
    """Print what a job has printed. JOB_ID may be a beginning that no other job has."""
    from vaesearch.jobs.listing import find_job, get_log

    head = _head(options)
    job = find_job(head, job_id)
    if follow:
        watch(head, job.id)
        return
    click.echo(get_log(head, job.id), nl=False)


@click.command()
@head_options
@click.argument("job_id")
def stop(job_id: str, **options: Any) -> None:
    """Stop a job in order: its search can be gone on with. JOB_ID may be a beginning."""
    from vaesearch.jobs.following import stop as end
    from vaesearch.jobs.listing import find_job

    head = _head(options)
    job = find_job(head, job_id)
    if job.is_over:
        click.echo(f"{job.id} had ended before: {job.status}.")
        return
    say(f"Stopping {job.id} ...")
    job = end(head, job)
    click.echo(f"{job.id} has ended: {job.status}.")
    place, said = job.run_dir, _log(head, job)
    if place.startswith("$"):  # then the cluster decided, and said so
        lines = (line.removeprefix(_SAID) for line in said.splitlines() if line.startswith(_SAID))
        place = next(lines, "")
    if place and _BEGUN in said:
        click.echo(
            "What was finished is kept; go on from there with\n"
            f"  vaesearch submit --address {head.url} -- resume {shlex.quote(place)}"
        )
    elif job.is_ours:
        click.echo("It had finished nothing that could be gone on with: submit it anew.")


def watch(head: "Head", name: str) -> None:
    """Show what a job prints until it ends, and end as it did.

    Raises:
        InterruptedSearchError: the user had enough; the job goes on.
        VaesearchError: the head is gone.
    """
    from vaesearch.jobs.client import Tail
    from vaesearch.jobs.following import Follower, lost_job
    from vaesearch.jobs.listing import get_job

    place = get_job(head, name).run_dir
    follower = Follower(head, name, write=_write, note=say, connect=Tail)
    try:
        job = follower.follow()
    except KeyboardInterrupt:
        raise InterruptedSearchError(f"\nThe job goes on.\n{hints(head, name)}") from None
    except InputError as error:
        raise lost_job(name, place, error) from error
    if job.status == "FAILED" and job.exit_code is None:
        say(f"The job could not run: {job.message.strip()}")
    if job.exit_status:
        raise JobEndedError(f"{name} ended: {_status(job)}", job.exit_status)


def _log(head: "Head", job: "Job") -> str:
    """What the job has printed; nothing where that cannot be had any more."""
    from vaesearch.jobs.listing import get_log

    try:
        return get_log(head, job.id)
    except VaesearchError:
        return ""


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _show(found: "list[Job]") -> None:
    from rich.console import Console
    from rich.text import Text

    from vaesearch.cli.text import plain_table

    table = plain_table("jobs, the newest first")
    for header in ("id", "status", "since", "command", "run directory"):
        table.add_column(header, no_wrap=header != "command")
    for job in found:
        since = f"{datetime.fromtimestamp(job.started):%Y-%m-%d %H:%M}" if job.started else ""
        command = Text(" ".join(job.command.removeprefix("vaesearch ").split()))
        table.add_row(Text(job.id), _status(job), since, command, Text(job.run_dir))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDEST)
    console.print(table)


def _status(job: "Job") -> str:
    failed = job.status == "FAILED" and job.exit_code is not None
    return f"{job.status} (exit {job.exit_code})" if failed else job.status
