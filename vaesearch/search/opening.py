"""A run by its path or URL."""

from pathlib import Path

from vaesearch.errors import RunDirError
from vaesearch.search.run_dir import RunDir


def open_run(where: str | Path, *, light: bool = False) -> RunDir:
    """The run directory at a path or URL, for reading or going on.

    What is at a URL is brought to this machine first; who writes into it calls ``put`` after.

    Args:
        where: the path or URL.
        light: leave models, pictures and whatever else is in folders or large where it is.

    Raises:
        RunDirError: there is no run at the URL. Of a path, whoever reads a file says so.
        StorageError: the storage does not answer.
    """
    run_dir = RunDir(where)
    run_dir.fetch(light=light)
    if run_dir.home is not None and not (run_dir.config.exists() or run_dir.ledger.exists()):
        raise RunDirError(f"{run_dir.address} is not a run directory: it has no ledger.")
    return run_dir
