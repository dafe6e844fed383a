import json
from dataclasses import asdict, replace

import pytest
from story import START, Story

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    ArmFailed,
    ArmShrunk,
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
from vaesearch.search.state import fold
from vaesearch.watching.status import Status, Upload, WorkerStatus, patience, status_of

SETTINGS = asdict(TrialSettings(decoder="mlp"))
REPORT = asdict(EpochReport(1, -3.0, 100.0, {"bpd": 3.0}))
NOW = 1060.0


def ledger(*events, backend="ray", every=1.0):
    """Numbered lines, one each second from 1000 on."""
    options = {"reward": "bpd", "backend": backend, "dataset": "digits", "policy": "auto"}
    lines = [SearchStarted("id", "0.1.0", options, {}), ArmAdded("mlp", SETTINGS, 9), *events]
    return [replace(e, seq=n, time=1000 + every * n) for n, e in enumerate(lines)]


def status(events, *, alive=True, now=NOW, budget=None):
    budget = budget or Budget(epochs=10)
    return status_of(
        events, fold(events, budget), run_dir="r", resume="vaesearch resume r", alive=alive,
        now=now, upload=Upload(False),
    )  # fmt: skip


JOINED = WorkerJoined("w1", "node-a", "cuda")
AT_WORK = (
    JOINED,
    WorkerJoined("w2", "node-b", "cpu"),
    DecisionMade("mlp", 2, "unseen", []),
    PullStarted(0, "mlp", 0, 2, "w1"),
)
DONE = (*AT_WORK, PullFinished(0, "mlp", [REPORT], {}, "w1"))


@pytest.mark.parametrize(
    ("events", "alive", "now", "condition"),
    [
        (AT_WORK, True, NOW, "running"),
        ((JOINED,), True, NOW, "running"),
        ((), True, NOW, "waiting"),
        ((DecisionMade("mlp", 1, "unseen", []),), True, NOW, "waiting"),
        ((*AT_WORK, WorkerLost("w1", "x"), WorkerLost("w2", "x"), PullFailed(0, "mlp", "x")),
         True, NOW, "waiting"),
        (AT_WORK, False, NOW, "stopped"),
        (AT_WORK, True, NOW + 3600, "silent"),
        # Where nobody can say whether its process lives, news do.
        (AT_WORK, None, NOW, "running"),
        (AT_WORK, None, NOW + 3600, "stopped"),
        ((*DONE, SearchFinished("spent", "mlp")), True, NOW, "finished"),
        ((*DONE, SearchFinished("spent", "mlp")), False, NOW + 3600, "finished"),
        ((ArmFailed("mlp", "nan"), SearchFinished("every arm failed", None)), False, NOW,
         "failed"),
    ],
)  # fmt: skip
def test_conditions(events, alive, now, condition):
    assert status(ledger(*events), alive=alive, now=now).condition == condition


def test_a_search_in_this_process_waits_for_nobody():
    assert status(ledger(backend="local")).condition == "running"


def test_what_is_to_be_done():
    assert status(ledger(*AT_WORK), alive=False).cure == "vaesearch resume r"
    assert status(ledger(*AT_WORK)).cure is None
    silent = status(ledger(*AT_WORK), now=NOW + 3600)
    assert silent.detail == "no news for 61 min, although its process lives"


def test_long_pulls_may_be_silent_for_longer():
    again = (DecisionMade("mlp", 8, "goes on", []), PullStarted(1, "mlp", 1, 8, "w1"))
    events = ledger(*DONE, *again)
    assert patience(fold(events, Budget())) == 3 * 8 * 100
    assert status(events, now=NOW + 2000).condition == "running"


def test_workers_and_what_they_do():
    assert status(ledger(*AT_WORK)).workers == (
        WorkerStatus("w1", "node-a", "cuda", "mlp", 2, 1005.0, 1),
        WorkerStatus("w2", "node-b", "cpu", None, None, None, None),
    )
    assert status(ledger(*AT_WORK), alive=False).workers == ()
    [old] = status(ledger(*AT_WORK[2:])).workers  # a ledger without lines of workers
    assert (old.worker, old.arm, old.node) == ("w1", "mlp", "")


def test_time_and_the_expected_end():
    found = status(ledger(*DONE))
    assert found.epochs == 1
    assert found.seconds == 60.0
    assert found.per_minute == pytest.approx(1.0)
    assert found.expected_end == pytest.approx(NOW + 9 * 60)
    limited = status(ledger(*DONE), budget=Budget(epochs=10, seconds=90))
    assert limited.expected_end == pytest.approx(NOW + 30)
    stopped = status(ledger(*DONE), alive=False)
    assert (stopped.seconds, stopped.expected_end) == (6.0, None)


def test_the_speed_is_that_of_the_last_process():
    resumed = [
        SearchResumed("0.1.0"), DecisionMade("mlp", 1, "x", []), PullStarted(1, "mlp", 1, 1, "w"),
        PullFinished(1, "mlp", [REPORT | {"epoch": 2}], {}, "w"),
    ]  # fmt: skip
    found = status(ledger(*DONE, *resumed), now=1027)
    assert found.per_minute == pytest.approx(60 / 20)


def test_troubles():
    found = status(ledger(
        *AT_WORK, WorkerLost("w1", "no\nheartbeat"), PullFailed(0, "mlp", "lost", blameless=True),
        ArmShrunk("mlp", 64, "memory"), ArmFailed("mlp", "nan"),
    )).troubles  # fmt: skip
    counts = (found.lost_workers, found.failed_pulls, found.halved_batches, found.failed_arms)
    assert counts == (1, 1, 1, 1)
    assert found.latest[0].text == "lost w1: no heartbeat"


def test_a_status_survives_the_way_to_another_machine():
    story = Story().example()
    found = status_of(
        story.events, story.state, run_dir="r", resume="", alive=True, now=START + 40,
        upload=Upload(True, 3, 5),
    )  # fmt: skip
    assert Status.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.refused == 1
    assert [a.arm for a in found.arms] == story.state.ranking
