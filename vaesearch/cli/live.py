"""What the command shows on a terminal while a search runs: a live table of all arms."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vaesearch.cli.lines import Pace, PlainLines, Quiet, lines, opening
from vaesearch.cli.text import sparkline
from vaesearch.events import (
    ArmFailed,
    ArmShrunk,
    Event,
    PullFailed,
    SearchResumed,
    WorkerJoined,
    WorkerLeft,
    WorkerLost,
)
from vaesearch.report.tables import best_arm, standing
from vaesearch.report.units import one_line, scale_of, write_clock, write_seconds
from vaesearch.search.state import Flight, SearchState

# Said above the live table too.
_TROUBLE = (
    ArmFailed, ArmShrunk, PullFailed, WorkerJoined, WorkerLeft, WorkerLost, SearchResumed,
)  # fmt: skip
_TRIALS = 20  # lines of a tuned search, which has more arms than anyone reads
FRAME = 8  # lines of a live table that are no arms: headers, rules, captions


def make_observer(json_output: bool, console: Console, where: str = "") -> Quiet:
    """The observer that suits the console: a table on a terminal, lines elsewhere.

    With ``json_output`` nothing is shown unless the console writes to stderr. ``where`` is the
    run, for the line that opens either of them.
    """
    if json_output and not console.stderr:
        return Quiet()
    if console.is_terminal and not console.is_dumb_terminal and "utf" in console.encoding:
        return LiveTable(console, where=where)
    return PlainLines(console, where)


class LiveTable(Quiet):
    """A table of all arms that is drawn again four times a second, until the search ends.

    Where the search finished the table goes, for the ranking follows; else it stays to be read.

    Args:
        console: where to draw; must be a terminal.
        clock: Unix time in seconds.
        where: the run, for a line above the table; empty for none.
    """

    def __init__(
        self, console: Console, clock: Callable[[], float] = time.time, where: str = ""
    ) -> None:
        self._console = console
        self._where = where
        self._clock = clock
        self._state = SearchState()
        self._pace: Pace | None = None
        self._live = Live(
            console=console,
            get_renderable=self.render,
            refresh_per_second=4,
            # Stray output of libraries is drawn above the table, but not taken out of a pipe.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __call__(self, event: Event, state: SearchState) -> None:
        """Show ``state`` from now on; trouble is also said in a line that stays."""
        if self._pace is None and self._where:
            self._console.print(Text(opening(state, self._where)), soft_wrap=True)
        self._pace = self._pace or Pace.at(event, state)
        self._state = state
        if isinstance(event, _TROUBLE):
            for line in lines(event, state, self._pace):
                self._console.print(Text(line))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw a last time and give the terminal back."""
        self._live.transient = self._state.finished is not None
        self._live.stop()

    def render(self) -> Group:
        """The table and its captions as they are now."""
        # The drawing thread and the search share nothing but this reference to a frozen record.
        state, pace, now = self._state, self._pace, self._clock()
        if pace is None:
            return Group(Text("Starting ..."))
        names = shown(state, self._console.height - FRAME)
        captions = [Text(_spending(state, pace, now))]
        if hidden := len(state.arms) - len(names):
            captions.append(Text(f"... and {hidden} more arms", style="dim"))
        if state.last_reason:
            reason = f"last decision: {one_line(state.last_reason)}"
            captions.append(Text(reason, style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(arms_table(state, names, now, self._console.width), *captions)


def shown(state: SearchState, room: int) -> list[str]:
    """The arms that fit, best first; those in flight come before others when room is short."""
    ranking = state.ranking
    busy = {flight.arm for flight in state.flights.values()}
    most = room if state.space is None else min(room, _TRIALS)
    chosen = sorted(ranking, key=lambda name: name not in busy)[: max(1, most)]
    return [name for name in ranking if name in chosen]


def arms_table(state: SearchState, names: list[str], now: float, width: int) -> Table:
    """The arms ``names`` as they are at Unix time ``now``, for ``width`` columns."""
    unit = scale_of(state).unit
    table = Table(box=None, padding=(0, 1), header_style="bold", pad_edge=False)
    table.add_column("arm", no_wrap=True, max_width=20 if width >= 100 else 13)
    table.add_column("epochs", justify="right", no_wrap=True)
    table.add_column(f"best\n{unit}", justify="right", no_wrap=True)
    table.add_column("curve", no_wrap=True)
    table.add_column("projected\nfinal", justify="right", no_wrap=True)
    table.add_column("seconds\n/epoch", justify="right", no_wrap=True)
    table.add_column("now")  # the one that gives way on a narrow terminal
    flights = {flight.arm: flight for flight in state.flights.values()}
    best, bars = best_arm(state), 16 if width >= 100 else 8
    for name in names:
        cells = _cells(state, name, bars, flights.get(name), now)
        table.add_row(*cells, style=_style(state, name, best))
    return table


def _cells(
    state: SearchState, name: str, bars: int, flight: Flight | None, now: float
) -> list[Text]:
    arm, scale = state.arms[name], scale_of(state)
    in_flight = f" +{flight.epochs}" if flight else ""
    rewards = [r.reward for r in arm.reports]
    cells = (
        name,
        f"{arm.epoch}{in_flight}",
        scale.write_reward(arm.best.reward if arm.best else None),
        sparkline(rewards, bars),
        scale.write_reward(state.projected.get(name)),
        write_seconds(state.history.arm(name).cost),
        _place(flight, now) if flight else standing(state, arm),
    )
    return [Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells]


def _place(flight: Flight, now: float) -> str:
    if not flight.worker:
        return "no worker yet"
    again = f", attempt {flight.attempt}" if flight.attempt > 1 else ""
    return f"{flight.worker} {write_clock(now - flight.since)}{again}"


def _style(state: SearchState, name: str, best: str | None) -> str:
    status = state.history.arm(name).status
    if status != "open":
        return "red" if status == "failed" else "dim"
    return "bold green" if name == best else ""


def _spending(state: SearchState, pace: Pace, now: float) -> str:
    """Budget used and left, time, speed: ``37/100 epochs, 63 left | 2:13 | 16.5 epochs/min``."""
    history, elapsed = state.history, pace.seconds(now)
    limit, spent = history.budget, history.spent
    epochs = f"{spent}/{limit.epochs} epochs, {limit.epochs - spent} left" if limit.epochs else ""
    clock = write_clock(elapsed)
    if limit.seconds:
        left = write_clock(limit.seconds - elapsed)
        clock = f"{clock} of {write_clock(limit.seconds)}, {left} left"
    speed = f"{pace.per_minute(now, spent):.1f} epochs/min"
    up = len(state.workers)
    workers = [f"{up} worker{'s' * (up != 1)} up"] if up else []
    return " | ".join((epochs or f"{spent} epochs", clock, speed, *workers))
