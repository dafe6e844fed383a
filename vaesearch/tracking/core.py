"""What a search sees of tracking: something to start, and to close at the end. Free of MLflow."""

import importlib.util
import logging
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Protocol

from vaesearch.errors import InputError, RunDirError, VaesearchError
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.cursor import exclusive, load_cursor, lock_path
from vaesearch.tracking.elsewhere import refuse_searching
from vaesearch.tracking.evaluations import evaluation_files
from vaesearch.tracking.mixtures import key_of, mixture_files
from vaesearch.tracking.uris import (
    NO_TRACKING,
    SECRET_URI,
    check_uri,
    default_uri,
    identity,
    is_server,
    redacted,
    ui_command,
    without_password,
)

__all__ = [
    "NO_TRACKING", "MlflowTracker", "NullTracker", "Tracker", "check_uri", "default_uri",
    "identity", "is_server", "make_tracker", "send_evaluations", "sync", "ui_command",
    "warning_of",
]  # fmt: skip

_SYNC_WAIT = 15.0  # seconds that ``sync`` waits for the uploader of a search that just ended

# An uploader that waits long for one request ends late; all of these the user may set otherwise.
DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PYTHONWARNINGS": "ignore",
}
_FORCED = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}  # GPU and cores are for training

_log = logging.getLogger(__name__)


class Tracker(Protocol):
    """Shows a search in another place while it runs; never stops or slows it."""

    def start(self) -> None:
        """Begin; returns at once, whether or not the other place answers."""
        ...

    def trouble(self) -> str | None:
        """What has gone wrong since this was last asked, in one line; None if nothing new did."""
        ...

    def close(self, timeout: float) -> str | None:
        """Send the rest, for ``timeout`` seconds at most.

        To be called when the ledger and all artifacts are written.

        Returns:
            None if everything arrived, else what is missing and how to send it.
        """
        ...


class NullTracker:
    """Shows nothing anywhere."""

    def start(self) -> None:
        """Do nothing."""

    def trouble(self) -> str | None:
        """Nothing is wrong."""
        return None

    def close(self, timeout: float) -> str | None:
        """Nothing is missing."""
        return None


class MlflowTracker:
    """Mirrors ``run_dir`` into MLflow by way of a process of its own.

    The process ends when this one closes it or dies, after having sent what it can.
    """

    def __init__(self, run_dir: RunDir, uri: str, experiment: str) -> None:
        self._run_dir = run_dir
        self._uri = uri
        self._experiment = experiment
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0  # when the cursor was written that was last looked at
        self._said = ""

    def start(self) -> None:
        """Start the uploader; a failure to do so is reported by :meth:`close`."""
        command = _command(self._run_dir, self._uri, self._experiment)
        try:
            with _open_log(self._run_dir) as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,  # its end tells the uploader that we are gone
                    stdout=log,
                    stderr=log,
                    env=_environment(self._uri),
                    start_new_session=True,  # Ctrl-C is for the search, not for the uploader
                )
        except OSError as error:
            _log.warning("the MLflow uploader did not start: %s", error)

    def trouble(self) -> str | None:
        """See :meth:`Tracker.trouble`; each trouble is told once."""
        path = self._run_dir.tracking_cursor
        written = path.stat().st_mtime_ns if path.exists() else 0
        if written == self._seen:
            return None
        self._seen = written
        error = load_cursor(self._run_dir, self._uri, self._experiment).error.rstrip(".")
        if not error or error == self._said:
            return None
        self._said = error
        return f"MLflow gets nothing for now, the search goes on: {error}."

    def close(self, timeout: float) -> str | None:
        """See :meth:`Tracker.close`; an upload that is under way goes on in the background."""
        if self._process is None:
            return self._unsent("the uploader did not start")
        if self._process.stdin:
            self._process.stdin.close()
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self._unsent("still being sent in the background")
        if status == 0:
            return None
        return self._unsent(_failure(self._run_dir, self._uri, self._experiment))

    def _unsent(self, why: str) -> str:
        command = f"vaesearch sync {shlex.quote(self._run_dir.address)}"
        again = ""
        if self._uri != without_password(self._uri):
            command += " --tracking-uri ADDRESS"
            again = " (with its password, which is not kept)"
        return (
            f"MLflow at {redacted(self._uri)} does not have all of this search yet: {why}.\n"
            f"Nothing is lost; `{command}`{again} sends the rest."
        )


def warning_of(tracker: Tracker) -> Callable[[object, object], None]:
    """What a search calls after each event, to warn at once of what tracking meets.

    Nobody should wait for the end of a search of days to hear of a wrong password.
    """

    def look(event: object, state: object) -> None:
        if said := tracker.trouble():
            _log.warning(said)

    return look


def make_tracker(run_dir: RunDir, uri: str | None, experiment: str) -> Tracker:
    """The tracker for ``--tracking-uri``: None is a database beside the run, ``none`` is nothing.

    Raises:
        InputError: an address that cannot work. A server that does not answer is no error.
    """
    if uri == NO_TRACKING:
        return NullTracker()
    uri = uri or default_uri(run_dir)
    check_uri(uri)
    if not has_mlflow():
        _log.warning("MLflow is not installed (pip install mlflow): the search is not tracked.")
        return NullTracker()
    return MlflowTracker(run_dir, uri, experiment)


def sync(run_dir: RunDir, uri: str | None, experiment: str, register: str | None = None) -> None:
    """Send everything that MLflow lacks of a run, and wait for it.

    ``register`` is the registered model that the best one is to be a version of.

    Raises:
        InputError: no run there, an address that cannot work, or no MLflow.
        VaesearchError: the store does not answer, another upload is under way, or the search
            runs on another machine.
    """
    if not run_dir.ledger.exists():
        raise RunDirError(f"{run_dir.address} is not a run directory: it has no ledger.")
    uri = uri or default_uri(run_dir)
    if uri == NO_TRACKING:
        raise InputError(f"{run_dir.address} is not tracked: give --tracking-uri to send it.")
    check_uri(uri)
    if not has_mlflow():
        raise InputError("MLflow is not installed: pip install mlflow")
    refuse_searching(run_dir)
    _await_uploader(run_dir)
    _drain(run_dir, uri, experiment, register)


def send_evaluations(run_dir: RunDir, uri: str | None, experiment: str) -> None:
    """Send the measurements and mixtures that MLflow lacks, and wait for it.

    A search that is running, or its uploader, sends them itself.

    Raises:
        InputError: an address that cannot work, or no MLflow.
        VaesearchError: the store does not answer, or another upload is under way.
    """
    if uri == NO_TRACKING:
        return
    uri = uri or default_uri(run_dir)
    deadline = time.monotonic() + _SYNC_WAIT
    while not _has_evaluations(run_dir, uri, experiment):
        if not _is_held(run_dir):
            sync(run_dir, uri, experiment)
            return
        if time.monotonic() > deadline:
            raise VaesearchError(f"{run_dir.address} is being sent by another process")
        time.sleep(0.2)


def _has_evaluations(run_dir: RunDir, uri: str, experiment: str) -> bool:
    there = load_cursor(run_dir, uri, experiment).evaluations
    stamps = {path.name: stamp for path, stamp in evaluation_files(run_dir).items()}
    stamps |= {key_of(path): stamp for path, stamp in mixture_files(run_dir).items()}
    return all(there.get(name) == stamp for name, stamp in stamps.items())


def _is_held(run_dir: RunDir) -> bool:
    try:
        with exclusive(lock_path(run_dir), wait=False):
            return False
    except BlockingIOError:
        return True


def _drain(run_dir: RunDir, uri: str, experiment: str, register: str | None) -> None:
    command = [*_command(run_dir, uri, experiment), "--drain"]
    command += ["--register", register] if register else []
    with _open_log(run_dir) as log:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=_environment(uri), check=False,
        )  # fmt: skip
    if done.returncode != 0:
        reason = _failure(run_dir, uri, experiment)
        raise VaesearchError(f"could not send {run_dir.address} to {redacted(uri)}: {reason}.")


def _await_uploader(run_dir: RunDir) -> None:
    deadline = time.monotonic() + _SYNC_WAIT
    while _is_held(run_dir):
        if time.monotonic() > deadline:
            raise VaesearchError(
                f"{run_dir.address} is being sent by its search, which is running or has just "
                "ended; there is nothing to do but to wait."
            )
        time.sleep(0.2)


def _failure(run_dir: RunDir, uri: str, experiment: str) -> str:
    error = load_cursor(run_dir, uri, experiment).error.rstrip(".")
    return error or f"see {run_dir.tracking_log}"


def has_mlflow() -> bool:
    """Whether MLflow is installed, which importing it would take seconds to find out."""
    return importlib.util.find_spec("mlflow") is not None


def _command(run_dir: RunDir, uri: str, experiment: str) -> list[str]:
    module = "vaesearch.tracking.uploader"
    return [sys.executable, "-m", module, str(run_dir.path), without_password(uri), experiment]


def _environment(uri: str) -> dict[str, str]:
    secret = {} if uri == without_password(uri) else {SECRET_URI: uri}
    return DEFAULTS | os.environ | _FORCED | secret


def _open_log(run_dir: RunDir) -> IO[bytes]:
    return run_dir.tracking_log.open("ab")
