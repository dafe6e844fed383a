"""Runs at URLs, which other machines work on and look at, too."""

from vaesearch.search.home import said
from vaesearch.search.lease import Lease
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.uris import default_uri, uri_of_environment


def seen_here_only(run_dir: RunDir, uri: str | None) -> str | None:
    """What to say of a run whose default MLflow database is beside its copy; None of others."""
    if run_dir.home is None or uri or uri_of_environment():
        return None
    return (
        f"The run is at {run_dir.address}, but its MLflow database on this machine only "
        f"({default_uri(run_dir)}): give --tracking-uri or set MLFLOW_TRACKING_URI."
    )


def refuse_searching(run_dir: RunDir) -> None:
    """Leave a search that runs on another machine to its own uploader.

    Two uploaders would not know of each other's runs in MLflow, since each looks before the
    other has made them.

    Raises:
        RunDirError: a process works on the run.
        StorageError: the storage does not answer.
    """
    home = run_dir.home
    if home is None:
        return
    try:
        Lease(home.folder, token="").await_free(dead=home.known().token or None)
    except OSError as error:
        raise said("read", error.filename or run_dir.address, error) from error
