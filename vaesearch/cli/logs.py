"""Logs for machines: ``--log-format json`` makes everything on stderr one JSON object per line.

Whatever libraries print is wrapped into such lines too, from wherever in this process it comes, so
that a collector never meets a line that it cannot read. stdout is left alone: it is for results.
"""

import faulthandler
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import RLock, Thread
from typing import Any

import click

from vaesearch.cli.lines import Quiet, message
from vaesearch.events import (
    ArmFailed,
    ArmShrunk,
    Event,
    PullFailed,
    SearchFinished,
    WorkerLost,
    event_to_dict,
)
from vaesearch.report.tables import best_arm, json_safe
from vaesearch.search.state import SearchState
from vaesearch.tracking.uris import redacted

TEXT, JSON = "text", "json"
_HEAD = ("seq", "time", "event")
_DRAIN_SECONDS = 1.0  # that the last stray output has to arrive


class JsonLog:
    """Writes one JSON object per line.

    Args:
        write: takes a whole line, from any thread.
        clock: Unix time in seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._lock = RLock()  # what is collected as garbage in the middle of a line may warn
        self.run_dir: str | None = None
        self.search_id: str | None = None

    def say(
        self, level: str, event: str, text: str, *, at: float | None = None, **more: Any
    ) -> None:
        """Write a line.

        Args:
            level: ``info``, ``warning`` or ``error``.
            event: kind of a ledger event, or ``note``, ``log``, ``output``, ``error``.
            text: the message, in plain words.
            at: Unix time in seconds; now by default.
            more: further keys.
        """
        when = datetime.fromtimestamp(self._clock() if at is None else at, UTC)
        entry = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "event": event,
            "message": text,
            "search_id": self.search_id,
            "run_dir": self.run_dir,
        }
        line = json.dumps(json_safe(entry | more), allow_nan=False)
        # A reader that went away, or a full disk, is no reason for a search to stop.
        with self._lock, suppress(OSError):
            self._write(line + "\n")


class JsonLines(Quiet):
    """The observer that writes a line for every event of the ledger."""

    def __init__(self, log: JsonLog) -> None:
        self._log = log

    def __call__(self, event: Event, state: SearchState) -> None:
        """Write it, with how far the search is and who leads."""
        self._log.search_id = state.search_id or None
        plain = event_to_dict(event)
        self._log.say(
            level_of(event),
            event.kind,
            message(event, state),
            at=event.time,
            seq=event.seq,
            spent=state.history.spent,
            best=_best(state),
            data={key: _shown(value) for key, value in plain.items() if key not in _HEAD},
        )


def _shown(value: Any) -> Any:
    """As in the ledger, but logs are collected elsewhere: no password of a store goes there."""
    uri = value.get("tracking_uri") if isinstance(value, dict) else None
    return value | {"tracking_uri": redacted(uri)} if uri else value


def level_of(event: Event) -> str:
    """How loud an event is."""
    match event:
        case ArmFailed() | SearchFinished(best_arm=None):
            return "error"
        case PullFailed() | WorkerLost() | ArmShrunk():
            return "warning"
        case _:
            return "info"


def _best(state: SearchState) -> dict[str, Any] | None:
    name = best_arm(state)
    best = state.arms[name].best if name is not None else None
    return {"arm": name, "reward": best.reward, "epoch": best.epoch} if best else None


@contextmanager
def json_stderr(clock: Callable[[], float]) -> Iterator[JsonLog]:
    """Make stderr of this process a stream of JSON lines until the end of the block.

    Python's warnings and logs keep their level; all other text becomes an ``output`` line, but
    for the last words of a process that crashes.
    """
    sys.stderr.flush()
    real = os.dup(2)
    source, sink = os.pipe()
    os.dup2(sink, 2)
    os.close(sink)
    # Our own lines go past the pipe, or each would be wrapped into another.
    log = JsonLog(lambda line: _write_all(real, line.encode()), clock)
    reader = Thread(target=_wrap, args=(source, log), name="stderr", daemon=True)
    reader.start()
    dumped = faulthandler.is_enabled()
    faulthandler.enable(real)  # who dies does not read the pipe any more
    handlers = logging.root.handlers[:]
    logging.root.handlers[:] = [_Handler(log)]
    logging.captureWarnings(True)
    try:
        yield log
    finally:
        logging.captureWarnings(False)
        logging.root.handlers[:] = handlers
        sys.stderr.flush()
        os.dup2(real, 2)
        faulthandler.enable(2) if dumped else faulthandler.disable()
        # A process that outlives us may hold the pipe open: its lines are not waited for.
        reader.join(_DRAIN_SECONDS)


def _wrap(source: int, log: JsonLog) -> None:
    with os.fdopen(source, "rb") as stream:
        for line in stream:
            if text := line.decode(errors="replace").rstrip():
                log.say("info", "output", text)


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


class _Handler(logging.Handler):
    """Python's logs as JSON lines."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record and the trace of its error; what cannot be told stops nobody."""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        if record.levelno < logging.WARNING:
            level = "info"
        try:
            self._log.say(level, "log", self.format(record), logger=record.name)
        except Exception:
            self.handleError(record)


def log_format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--log-format`` to a command that searches."""
    option = click.option(
        "--log-format", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True,
        envvar="VAESEARCH_LOG_FORMAT", expose_value=False, is_eager=True, callback=_choose,
        help="of what is told on the way; json: one object per line on stderr",
    )  # fmt: skip
    return option(function)


def _choose(context: click.Context, parameter: click.Parameter, value: str) -> str:
    outputs = context.find_root().obj
    if value == JSON and isinstance(outputs, Outputs) and not context.resilient_parsing:
        outputs.use_json()
    return value


class Outputs:
    """What one run of the command writes its remarks and errors to.

    Args:
        enter: keeps a context manager open until the command ends.
        clock: Unix time in seconds.
    """

    def __init__(self, enter: Callable[[Any], Any], clock: Callable[[], float]) -> None:
        self._enter = enter
        self._clock = clock
        self.log: JsonLog | None = None

    def use_json(self) -> None:
        """From here on stderr is JSON."""
        if self.log is None:
            self.log = self._enter(json_stderr(self._clock))

    def complain(self, level: str, prefix: str, text: Any) -> None:
        """Say an error, or that the search was interrupted."""
        if self.log is None:
            click.echo(f"{prefix}{text}", err=True)
        else:
            self.log.say(level, "error" if level == "error" else "note", str(text))


def json_log() -> JsonLog | None:
    """The log of the command that is running, where it is told to write JSON."""
    context = click.get_current_context(silent=True)
    outputs = context.find_root().obj if context else None
    return outputs.log if isinstance(outputs, Outputs) else None
