from dataclasses import asdict
from io import StringIO

import pytest
from rich.console import Console

from vaesearch.bandits.core import Budget, History
from vaesearch.cli.lines import PlainLines, message, opening
from vaesearch.events import (
    EVENTS,
    ArmAdded,
    ArmShrunk,
    DecisionMade,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
    TrialKnown,
    TrialRefused,
    WorkerJoined,
    WorkerLeft,
    WorkerLost,
)
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import SearchState, advance

OPTIONS = {"reward": "bpd", "dataset": "digits", "policy": "auto", "backend": "ray"}
REPORT = asdict(EpochReport(1, -3.0, 1.84, {"bpd": 3.0}))
EVENTS_AND_WORDS = [
    (SearchStarted("id", "0.1.0", OPTIONS, {}), "search started, budget 7 epochs"),
    (ArmAdded("mlp", asdict(TrialSettings(decoder="mlp")), 9), "mlp joined: 9 parameters"),
    (WorkerJoined("w1", "node-a", "cuda"), "w1 is up on cuda of node-a (1 worker)"),
    (WorkerJoined("w2", "node-b", "cpu"), "w2 is up on cpu of node-b (2 workers)"),
    (DecisionMade("mlp", 2, "un\nseen", []), "mlp gets 2 epochs: un seen"),
    (PullStarted(0, "mlp", 0, 2, "w1"), "mlp trains on w1 from epoch 0, 2 to do"),
    (WorkerLost("w1", "no\nheartbeat"), "lost w1: no heartbeat"),
    (
        PullFailed(0, "mlp", "node\ndied", blameless=True),
        "mlp: pull lost with its machine, to be done again: node died",
    ),
    (
        ArmShrunk("mlp", 64, "out of\nmemory"),
        "mlp: from now on in batches of 64: out of memory",
    ),
    (
        PullStarted(0, "mlp", 0, 2, "w2", attempt=2),
        "mlp trains on w2 from epoch 0, 2 to do, attempt 2",
    ),
    (
        PullFinished(0, "mlp", [REPORT], {}, "w2"),
        "mlp epoch 1: 3.000 bits/dim (best 3.000) 1.8 s on w2",
    ),
    (WorkerLeft("w2", "no arm is left"), "w2 let go: no arm is left"),
    (TrialRefused(3, {}, "mlp", "too large"), "trial 3 refused: too large"),
    (TrialKnown(4, {}, "mlp", {}, "runs/a"), "trial 4 is known from runs/a"),
    (SearchFinished("spent", "mlp"), "finished: spent"),
]
# What nobody has to read line by line, though a collector gets it.
SILENT = ("search started", "mlp joined", "mlp gets", "mlp trains", "trial 3", "trial 4")


def told():
    """Every event with the state after it."""
    state = SearchState(history=History(Budget(epochs=7)))
    for event, words in EVENTS_AND_WORDS:
        state = advance(state, event)
        yield event, state, words


def test_every_event_has_words():
    for event, state, words in told():
        assert message(event, state) == words


def test_a_log_opens_with_the_run_and_leaves_out_what_nobody_reads():
    console = Console(file=StringIO())
    observer = PlainLines(console, "runs/a b")
    for event, state, _ in told():
        observer(event, state)
    first, *rest = console.file.getvalue().splitlines()
    assert first == (
        "search in runs/a b, digits, policy auto, backend ray (as many workers as fit), "
        "budget 7 epochs"
    )
    expected = [w for _, _, w in told() if not w.startswith(SILENT)]
    assert [line.partition("] ")[2] for line in rest] == expected


@pytest.mark.parametrize(
    ("options", "budget", "told"),
    [
        ({"backend": "local"}, Budget(seconds=90), "backend local, budget 90 s"),
        (
            {"workers": 3},
            Budget(epochs=8, seconds=60),
            "backend ray (3 workers), budget 8 epochs and 60 s",
        ),
    ],
)
def test_the_opening_says_who_trains_and_what_may_be_spent(options, budget, told):
    state = SearchState(history=History(budget), config=OPTIONS | options)
    assert opening(state, "x").endswith(told)


def test_a_kind_of_event_without_words_is_named():
    """So that a new kind is never an empty line in a log."""
    words = {type(event) for event, _ in EVENTS_AND_WORDS}
    told_elsewhere = {SearchResumed}  # and those of test_live.py
    state = SearchState(history=History(Budget(epochs=7)))
    assert message(SearchResumed("0.1.0"), state) == "resumed, pulls to do again: 0"
    assert len(set(EVENTS.values()) - words - told_elsewhere) == 3
