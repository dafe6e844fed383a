"""What follows from a pull that came to nothing."""

from dataclasses import replace

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    ArmFailed,
    ArmShrunk,
    DecisionMade,
    PullFailed,
    SearchStarted,
)
from vaesearch.records import Arm, PullRequest, TrialSettings
from vaesearch.search.backends.base import Broken, Lost
from vaesearch.search.settling import MAX_ATTEMPTS, MAX_MISFORTUNES, Misfortunes, failure_lines
from vaesearch.search.state import advance, fold

ARM = Arm("a", TrialSettings("mlp", batch_size=8))
JOB = PullRequest(0, ARM, 0, 1)
LACKED = Broken("w", JOB, "CUDA out of memory", out_of_memory=True)


def started(values=None, **config):
    settings = {"decoder": "mlp", "batch_size": 8}
    return fold(
        [
            SearchStarted("s", "0", {"batch_size": 8} | config, {}, None),
            ArmAdded("a", settings, 10, values=values or {}),
            DecisionMade("a", 1, "", []),
        ],
        Budget(epochs=5),
    )


def kinds(lines):
    return [type(line) for line in lines]


def all_lines(state, outcome, misfortunes, most=100):
    """Until the arm is out."""
    lines = []
    while state.history.arm("a").status == "open" and len(lines) < most:
        new = failure_lines(state, replace(JOB, arm=state.arms["a"].arm), outcome, misfortunes)
        for line in new:
            state = advance(state, line)
        lines += new
    return lines, state


@pytest.mark.parametrize("outcome", [Lost("w", JOB, "died"), Broken("w", JOB, "no")])
def test_three_failures_of_its_own_are_the_end_of_an_arm(outcome):
    lines, state = all_lines(started(), outcome, Misfortunes())
    assert kinds(lines) == [PullFailed] * MAX_ATTEMPTS + [ArmFailed]
    assert state.arms["a"].lost == isinstance(outcome, Lost)


def test_machines_that_go_away_are_not_counted_but_not_for_ever():
    lines, state = all_lines(started(), Lost("w", JOB, "gone", blameless=True), Misfortunes())
    assert kinds(lines) == [PullFailed] * MAX_MISFORTUNES + [ArmFailed]
    assert all(line.blameless for line in lines[:-1])
    assert "20 machines" in state.arms["a"].note


def test_batches_are_halved_down_to_two():
    lines, _ = all_lines(started(), LACKED, Misfortunes())
    shrunk = [line.batch_size for line in lines if isinstance(line, ArmShrunk)]
    assert shrunk == [4, 2]
    assert isinstance(lines[-1], ArmFailed)
    assert "--width" in lines[-1].cause


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (started(on_oom="fail"), "--batch-size 4"),
        (started({"batch_size": 8}), "the space searches batch_size"),
    ],
)
def test_an_arm_that_may_not_be_halved_fails_at_once(state, words):
    lines, _ = all_lines(state, LACKED, Misfortunes())
    assert kinds(lines) == [PullFailed, ArmFailed]
    assert words in lines[-1].cause


@pytest.mark.parametrize("on_oom", ["halve", "fail"])
def test_smaller_batches_are_no_help_where_validation_lacks_memory(on_oom):
    lacked = replace(LACKED, error="OutOfMemoryError: validation: CUDA out of memory")
    lines, _ = all_lines(started(on_oom=on_oom), lacked, Misfortunes())
    assert kinds(lines) == [PullFailed, ArmFailed]
    assert "--width" in lines[-1].cause
    assert "--batch-size" not in lines[-1].cause
