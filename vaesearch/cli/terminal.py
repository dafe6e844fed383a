"""What surrounds a command: live view, Ctrl-C, errors in words, exit status."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

import click
from rich.console import Console

from vaesearch.cli.lines import Quiet
from vaesearch.cli.live import make_observer
from vaesearch.cli.logs import JsonLines, Outputs, json_log
from vaesearch.cli.text import closing, interrupted, out_of_space
from vaesearch.errors import StorageError, VaesearchError
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState

INTERRUPTED = 130


class InterruptedSearchError(VaesearchError):
    """The user, or the machine, asked the search to stop."""

    exit_status = INTERRUPTED


class Patient(Console):
    """Shows what it can: a search goes on where nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Show nothing from here on, and leave nothing to be written at the end."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


class Session:
    """A live view of one search, and what to say when it ends.

    Args:
        run_dir: of the search.
        as_json: keep stdout for the results; the view goes to stderr.
    """

    def __init__(self, run_dir: str | Path, *, as_json: bool) -> None:
        self._run_dir = run_dir
        self._console = Patient(stderr=as_json)
        self._stack = ExitStack()
        self._notes: list[str] = []
        self._log = json_log()
        if self._log:
            self._log.run_dir = str(run_dir)
            self.observer: Quiet = JsonLines(self._log)
        else:
            self.observer = make_observer(as_json, self._console, str(run_dir))

    def __enter__(self) -> Self:
        self._stack.enter_context(stoppable())
        self._stack.enter_context(self.observer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back; what can be mended by the user ends with how to resume."""
        self._stack.close()
        if not RunDir(self._run_dir).ledger.exists():
            return
        if isinstance(error, KeyboardInterrupt):
            raise InterruptedSearchError(interrupted(self._run_dir)) from None
        if isinstance(error, StorageError):
            raise StorageError(f"{error}\n{out_of_space(self._run_dir)}") from error
        if isinstance(error, BrokenPipeError):  # for the command line that of stdout, no failure
            raise VaesearchError(f"a connection of the search broke: {error}") from error

    def note(self, text: str) -> None:
        """Keep a remark for the end; a log for machines has it at once."""
        self._notes.append(text)
        if self._log:
            self._log.say("info", "note", text)

    def close(self, state: SearchState) -> None:
        """Print the ranking, where things are, and what to type next."""
        say = closing
        if state.space is not None:
            from vaesearch.cli.tuned import closing_tuned as say
        self._console.print(
            say(state, self._run_dir, "\n".join(self._notes) or None), soft_wrap=True
        )


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the search in order; a second one stops at once.

    Either way the ledger has all that was finished: the order is only for the workers' sake.
    """
    stops = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stops
        stops += 1
        if stops > 1:
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def run(app: click.Command, arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(_status(app, [w for w in words if w != "--debug"], debug))


def _status(app: click.Command, words: list[str], debug: bool) -> int:
    with ExitStack() as stack:
        outputs = Outputs(stack.enter_context, time.time)
        return _run(app, words, debug, outputs)


def _run(app: click.Command, words: list[str], debug: bool, outputs: Outputs) -> int:
    try:
        status = app.main(words, prog_name="vaesearch", standalone_mode=False, obj=outputs)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except VaesearchError as error:
        if debug and error.exit_status != INTERRUPTED:
            raise
        if error.exit_status == INTERRUPTED:
            outputs.complain("warning", "", error)
        else:
            outputs.complain("error", "error: ", error)
        return error.exit_status
    except click.ClickException as error:
        outputs.complain("error", "error: ", error.format_message())
        return 2
    except BrokenPipeError:
        return 0  # `vaesearch list | head` is no failure
    except Exception as error:
        if debug:
            raise
        outputs.complain(
            "error",
            "error: ",
            f"{type(error).__name__}: {error}\nThis is a fault of vaesearch; --debug shows where.",
        )
        return 1
    return status if isinstance(status, int) else 0  # what a command exits with
