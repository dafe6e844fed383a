"""Questions that are asked in a process of their own: it may crash, hang, or change itself."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


class ProbeError(Exception):
    """The process said nothing that can be used; the message is what it said instead."""


def ask(module: str, *words: str, limit: float, environ: dict[str, str] | None = None) -> Any:
    """What ``python -m module words`` prints, as JSON.

    Raises:
        ProbeError: it crashed, or did not end within ``limit`` seconds.
    """
    status, out, err = run([sys.executable, "-m", module, *words], limit, environ)
    if status == 0:
        try:
            return json.loads(out.strip().splitlines()[-1])
        except (ValueError, IndexError):
            err = out or err
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    signal_name = f"killed by signal {-status}" if status < 0 else f"status {status}"
    raise ProbeError((lines[-1] if lines else signal_name)[:300])


def run(
    command: Sequence[str], limit: float, environ: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Status, stdout and stderr of a command; its whole process group ends with it.

    Raises:
        ProbeError: it did not end within ``limit`` seconds, or cannot be started.
    """
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace", start_new_session=True, env=os.environ | (environ or {}),
        )  # fmt: skip
    except OSError as error:
        raise ProbeError(error.strerror or str(error)) from error
    with process:
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise ProbeError(f"no answer within {limit:g} s") from error
    return process.returncode, out, err
