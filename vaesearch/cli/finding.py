"""From what a person typed to a run that can be looked at."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vaesearch.cli.places import runs_root
from vaesearch.errors import InputError, RunDirError, VaesearchError
from vaesearch.storage import is_url
from vaesearch.watching import Look, Status, look

if TYPE_CHECKING:
    from vaesearch.jobs.heads import Head
    from vaesearch.jobs.luggage import Luggage

_SAID = "Run directory: "  # by the starter of a job whose cluster chose the place


def find_run(run: str | None, address: str | None, insecure: bool = False) -> Callable[[], Look]:
    """A function that looks at the run directory, or at the run of the job, that ``run`` names.

    Raises:
        InputError: nothing was named, or the cluster knows no such job.
    """
    if run is None:
        raise InputError(f"which run? Give its directory{_newest()}")
    if address is None:
        return lambda: _look_or_hint(run)
    return _of_job(run, address, insecure)


def _look_or_hint(run: str) -> Look:
    try:
        return look(run)
    except RunDirError as error:
        if is_url(run) or Path(run).exists() or "/" in run:
            raise
        raise RunDirError(f"{error} Of a job: add --address http://HEAD:8265.") from error


def _of_job(name: str, address: str, insecure: bool) -> Callable[[], Look]:
    """The run of a job: looked at from here if it is seen from here, else on the cluster."""
    from vaesearch.jobs.heads import find_head
    from vaesearch.jobs.inner import Inner, Option
    from vaesearch.jobs.listing import find_job, get_log
    from vaesearch.jobs.luggage import Luggage

    # Looking means the same for every version.
    head = find_head(address, insecure=insecure, other_versions=True)
    job = find_job(head, name)
    place = job.run_dir
    if place.startswith("$"):
        said = (line for line in get_log(head, job.id).splitlines() if line.startswith(_SAID))
        place = next((line.removeprefix(_SAID).strip() for line in said), "")
    if not place:
        raise InputError(
            f"{job.id} ({job.status}) has no run directory yet, or never had one; its output:\n"
            f"  vaesearch logs {job.id} --address {head.url}"
        )
    if is_url(place) or Path(place, "ledger.jsonl").exists():
        return lambda: look(place)
    inner = Inner("status", (Option("run", "", (place,)), Option("as_json", "--json")))
    return lambda: _look_there(head, Luggage(inner))


def _look_there(head: "Head", luggage: "Luggage") -> Look:
    from vaesearch.cli.remote import ask_there

    told = ask_there(head, luggage)
    try:
        return Look(Status.from_dict(told))
    except (KeyError, TypeError) as error:
        raise VaesearchError("the cluster has another version of vaesearch.") from error


def _newest() -> str:
    """A suggestion, where there is one."""
    runs = runs_root()
    if isinstance(runs, str):
        return f", such as {runs}/NAME."
    found = sorted(runs.glob("*/.lock"), key=lambda path: path.stat().st_mtime)
    if not found:
        return ", such as runs/mnist-20260101-120000."
    return f": the newest is\n  vaesearch status {shlex.quote(str(found[-1].parent))}"
