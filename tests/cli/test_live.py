import subprocess
import sys
from dataclasses import asdict
from io import StringIO

import pytest
from rich.console import Console

from vaesearch.bandits.core import Budget, History
from vaesearch.cli.lines import PlainLines, Quiet
from vaesearch.cli.live import LiveTable, make_observer
from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
    WorkerJoined,
    WorkerLost,
)
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import SearchState, advance


def epoch(number, reward):
    return asdict(EpochReport(number, reward, 1.84, {"bpd": -reward}))


SETTINGS = asdict(TrialSettings(decoder="mlp"))
EVENTS = [
    SearchStarted("id", "0.1.0", {"reward": "bpd"}, {}, time=1000),
    *[ArmAdded(name, SETTINGS, 9, time=1000) for name in ("mlp", "deconv", "linear")],
    DecisionMade("mlp", 2, "first [bold]", [], time=1000),
    PullStarted(0, "mlp", 0, 2, "worker-1", time=1001),
    PullFinished(0, "mlp", [epoch(1, -3.0), epoch(2, -3.25)], {}, "worker-1", time=1005),
    DecisionMade("deconv", 1, "unseen", [], time=1005),
    PullStarted(1, "deconv", 0, 1, "worker-2", time=1006),
    WorkerLost("worker-2", "killed\n by signal 9", time=1007),
    PullFailed(1, "deconv", "worker lost", time=1007),
    PullStarted(1, "deconv", 0, 1, "worker-3", attempt=2, time=1008),
    SearchResumed("0.1.0", time=1010),
    PullFinished(1, "deconv", [epoch(1, -2.913)], {}, "worker-3", time=1012),
    ArmCut("mlp", "below half", time=1012),
    DecisionMade("linear", 1, "unseen", [], time=1012),
    ArmFailed("linear", "loss is nan", time=1013),
    DecisionMade("deconv", 4, "projected 2.7", [], {"deconv": -2.71}, time=1014),
    PullStarted(3, "deconv", 1, 4, "worker-1", time=1015),
]
END = [
    ArmAppraised("deconv", 1, {"bpd": 2.95}, time=1030),
    SearchFinished("7 of 7 epochs are spent", "deconv", time=1031),
]


def feed(observer, events, budget):
    state = SearchState(history=History(budget))
    for event in events:
        state = advance(state, event)
        observer(event, state)


def terminal(width=80, height=25):
    return Console(file=StringIO(), force_terminal=True, width=width, height=height)


def shown(table, width):
    console = Console(file=StringIO(), width=width)
    console.print(table.render())
    return console.file.getvalue()


def test_plain_lines():
    console = Console(file=StringIO(), width=30)
    feed(PlainLines(console), EVENTS + END, Budget(epochs=7))
    assert console.file.getvalue().splitlines() == [
        "[1/7] mlp epoch 1: 3.000 bits/dim (best 3.000) 1.8 s on worker-1",
        "[2/7] mlp epoch 2: 3.250 bits/dim (best 3.000) 1.8 s on worker-1",
        "[2/7] lost worker-2: killed by signal 9",
        "[2/7] deconv: pull failed, to be tried again: worker lost",
        "[2/7] resumed, pulls to do again: 1",
        "[3/7] deconv epoch 1: 2.913 bits/dim (best 2.913) 1.8 s on worker-3",
        "[3/7] mlp cut: below half",
        "[3/7] linear failed: loss is nan",
        "[3/7] deconv epoch 1 on test images: 2.950 bits/dim",
        "[3/7] finished: 7 of 7 epochs are spent",
    ]


def test_plain_lines_tell_the_time_where_time_is_the_budget():
    console = Console(file=StringIO())
    feed(PlainLines(console), EVENTS[:7], Budget(seconds=600))
    assert console.file.getvalue().startswith("[1, 5/600 s] mlp epoch 1:")


@pytest.mark.parametrize("width", [80, 140])
def test_live_table_shows_every_arm_and_the_budget(width):
    table = LiveTable(terminal(width), clock=lambda: 1060.0)
    feed(table, EVENTS, Budget(epochs=7))
    text = shown(table, width)
    assert max(map(len, text.splitlines())) <= width
    deconv, mlp, linear = (
        next(line.split() for line in text.splitlines() if line.startswith(name))
        for name in ("deconv", "mlp", "linear")
    )
    assert deconv == ["deconv", "1", "+4", "2.913", "▅", "2.710", "1.8", "worker-1", "0:45"]
    assert mlp == ["mlp", "2", "3.000", "█▁", "-", "1.8", "cut:", "below", "half"]
    assert linear[:3] == ["linear", "0", "-"]
    assert "failed: loss" in text
    assert "3/7 epochs, 4 left | 1:00 | 3.0 epochs/min" in text
    assert "last decision: projected 2.7" in text


def test_live_table_opens_with_the_run_and_counts_workers():
    console = terminal(140)
    with LiveTable(console, clock=lambda: 1010.0, where="runs/a") as table:
        joined = WorkerJoined("worker-1", "node-a", "cuda", time=1001)
        feed(table, [*EVENTS[:4], joined], Budget(epochs=7))
        assert "epochs/min | 1 worker up" in shown(table, 140)
    text = console.file.getvalue()
    assert "search in runs/a" in text
    assert "worker-1 is up on cuda of node-a" in text


def test_live_table_counts_seconds_where_they_are_the_budget():
    table = LiveTable(terminal(), clock=lambda: 1060.0)
    feed(table, EVENTS, Budget(seconds=600))
    assert "3 epochs | 1:00 of 10:00, 9:00 left" in shown(table, 80)


def test_live_table_tells_attempts_and_waiting():
    table = LiveTable(terminal(140), clock=lambda: 1010.0)
    feed(table, EVENTS[:12], Budget(epochs=7))
    assert "worker-3 0:02, attempt 2" in shown(table, 140)
    feed(table, EVENTS[:8], Budget(epochs=7))
    assert "no worker yet" in shown(table, 140)


def test_live_table_keeps_busy_arms_on_a_low_terminal():
    table = LiveTable(terminal(height=9), clock=lambda: 1010.0)
    feed(table, EVENTS[:9], Budget(epochs=7))
    text = shown(table, 80)
    assert "\ndeconv" in text
    assert "\nmlp" not in text
    assert "... and 2 more arms" in text


def test_live_table_draws_before_the_first_event_and_says_trouble():
    console = terminal()
    with LiveTable(console, clock=lambda: 1010.0) as table:
        assert "Starting" in shown(table, 80)
        feed(table, EVENTS + END, Budget(epochs=7))
    assert "[2/7] lost worker-2: killed by signal 9" in console.file.getvalue()


def test_quiet_says_nothing():
    with Quiet() as quiet:
        feed(quiet, EVENTS, Budget(epochs=7))


def test_the_observer_suits_the_console():
    file = Console(file=StringIO())
    assert type(make_observer(False, file)) is PlainLines
    assert type(make_observer(True, file)) is Quiet
    assert type(make_observer(True, Console(stderr=True, force_terminal=False))) is PlainLines


def test_a_terminal_gets_the_table(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert type(make_observer(False, terminal())) is LiveTable
    monkeypatch.setenv("TERM", "dumb")
    assert type(make_observer(False, terminal())) is PlainLines


def test_views_start_without_the_heavy_libraries():
    code = (
        "import sys, vaesearch.cli.live, vaesearch.cli.text, vaesearch.report.tables\n"
        "print({'torch', 'ray', 'mlflow', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
