"""From what a person typed to a run that can be looked at."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from vaesearch.cli.sessions import RUNS
from vaesearch.errors import InputError
from vaesearch.storage import is_url
from vaesearch.watching import Look, look


def find_run(run: str | None, address: str | None) -> Callable[[], Look]:
    """A function that looks at the run directory, or at the run of the job, that ``run`` names.

    Raises:
        InputError: nothing was named, or a job without the address of its cluster.
    """
    if run is None:
        raise InputError(f"which run? Give its directory{_newest()}")
    if address is None:
        return lambda: look(run)
    raise InputError("jobs cannot be looked at yet: give the run directory.")


def _newest() -> str:
    """A suggestion, where there is one."""
    runs = os.environ.get("VAESEARCH_RUNS") or str(RUNS)
    if is_url(runs):
        return f", such as {runs}/NAME."
    found = sorted(Path(runs).glob("*/.lock"), key=lambda path: path.stat().st_mtime)
    if not found:
        return ", such as runs/mnist-20260101-120000."
    return f": the newest is\n  vaesearch status {shlex.quote(str(found[-1].parent))}"
