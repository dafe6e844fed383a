from dataclasses import asdict

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchStarted,
)
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import fold


def pull(number, arm, start, rewards):
    reports = [
        asdict(EpochReport(start + i, r, 2.0, {"bpd": -r, "mse": 0.01}))
        for i, r in enumerate(rewards, start=1)
    ]
    return [
        DecisionMade(arm, len(rewards), "because", [], {arm: rewards[-1]}),
        PullStarted(number, arm, start, len(rewards), "worker-1"),
        PullFinished(number, arm, reports, {}, "worker-1"),
    ]


@pytest.fixture
def events():
    """A search with an arm of every kind: the best, one cut, one failed, one untrained."""
    config = {"dataset": "digits", "policy": "ucb", "seed": 7, "reward": "bpd"}
    arms = ("mlp", "deconv", "linear", "late")
    return [
        SearchStarted("id", "0.1.0", config, {}),
        *[ArmAdded(a, asdict(TrialSettings(decoder="mlp")), 1234) for a in arms],
        *pull(0, "mlp", 0, [-4.0, -3.5]),
        *pull(1, "deconv", 0, [-90.0, -2.9131]),
        *pull(2, "linear", 0, [-5.0]),
        ArmCut("mlp", "below the better half"),
        ArmFailed("linear", "loss is nan\n  at | step 12"),
        *pull(3, "deconv", 2, [-3.0]),
        ArmAppraised("deconv", 2, {"bpd": 2.9566, "mse": float("nan")}),
        SearchFinished("6 of 6 epochs are spent", "deconv"),
    ]


@pytest.fixture
def state(events):
    return fold(events, Budget(epochs=6))
