"""The uploader process: mirrors the ledger of a run into MLflow, at its own pace.

::

    python -m vaesearch.tracking.uploader RUN_DIR URI EXPERIMENT [--drain] [--register NAME]

It follows the ledger until its standard input is closed, which also happens when the search dies
in any way; then it sends what is left, and artifacts, and ends. ``--drain`` does only the latter.
Whoever interrupts the search does not interrupt this.
A URI with a password is given in ``VAESEARCH_TRACKING_URI``, since other users see arguments.
Exit status 0: MLflow has everything; 1: something waits, and ``tracking.json`` says why.
"""

import argparse
import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.cursor import exclusive, load_cursor, lock_path, save_cursor
from vaesearch.tracking.reasons import explain
from vaesearch.tracking.upload import Upload
from vaesearch.tracking.uris import SECRET_URI, connectable

POLL = 0.5  # seconds between two looks at the ledger
LONGEST_WAIT = 30.0  # seconds between two attempts at a store that does not answer

_log = logging.getLogger("vaesearch.tracking")


def follow(
    run_dir: RunDir,
    uri: str,
    experiment: str,
    ended: Callable[[float], bool],
    register: str | None = None,
) -> bool:
    """Upload until the search is over; whether MLflow has everything.

    Args:
        run_dir: the run.
        uri: MLflow store.
        experiment: its experiment.
        ended: waits for as many seconds, or until the search is over, and says whether it is.
        register: see :meth:`~vaesearch.tracking.upload.Upload.finish`.
    """
    upload: Upload | None = None
    wait, said = 0.0, set()
    while True:
        over = ended(wait)
        try:
            upload = upload or Upload(run_dir, uri, experiment)
            upload.send_new()
            upload.send_evaluations()
            if over:
                upload.finish(register)
                return True
            wait = POLL
        except Exception as error:  # whatever MLflow, its drivers or the network come up with
            reason = explain(error, uri, experiment)
            if reason not in said:
                _log.error("not sent: %s", reason)
                said.add(reason)
            _save_error(run_dir, uri, experiment, reason)
            if over:
                return False
            upload, wait = None, min(LONGEST_WAIT, max(1.0, 2 * wait))


def _save_error(run_dir: RunDir, uri: str, experiment: str, reason: str) -> None:
    with suppress(OSError):  # a full disk: the log line is all we can do
        cursor = load_cursor(run_dir, uri, experiment)
        save_cursor(run_dir, replace(cursor, error=reason))


def _stdin_closed(timeout: float) -> bool:
    """Wait for the other end of standard input to go away, for ``timeout`` seconds at most."""
    ready, _, _ = select.select([sys.stdin], [], [], timeout)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def main(arguments: list[str] | None = None) -> int:
    """Run the uploader; returns its exit status."""
    parser = argparse.ArgumentParser(description="Mirror the ledger of a run into MLflow.")
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("uri")
    parser.add_argument("experiment")
    parser.add_argument("--drain", action="store_true", help="send what is there and end")
    parser.add_argument("--register", help="make the best model a version of this one")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it reports every attempt
    os.nice(10)  # training comes first
    run_dir = RunDir(given.run_dir)
    uri = connectable(os.environ.get(SECRET_URI) or given.uri, os.environ)
    if not given.drain:  # Ray stops jobs by SIGINT to the search and all below it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = (lambda _: True) if given.drain else _stdin_closed
    with exclusive(lock_path(run_dir)):
        done = follow(run_dir, uri, given.experiment, ended, given.register)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
