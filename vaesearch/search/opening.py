"""A run by its path or URL."""

from pathlib import Path

from vaesearch.search.run_dir import RunDir


def open_run(where: str | Path) -> RunDir:
    """The run directory at a path or URL, for reading or going on.

    Raises:
        RunDirError: there is no run.
        StorageError: the storage does not answer.
    """
    return RunDir(Path(where))
