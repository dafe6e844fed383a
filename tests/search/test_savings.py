"""What a search saved, against training all equally: exact where known, a range elsewhere."""

import numpy as np
import pytest

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    ArmFailed,
    DecisionMade,
    PullFinished,
    PullStarted,
    SearchStarted,
)
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.savings import Savings, estimate_savings
from vaesearch.search.state import fold


def search(pulls, arms, failed=()):
    """Events and state of a search that pulled ``pulls`` of (arm, reward), one epoch each."""
    events = [SearchStarted("id", "0", {"seed": 0}, {})]
    for arm in arms:
        settings = vars(Arm(arm, TrialSettings(decoder="mlp")).settings)
        events.append(ArmAdded(arm, settings, 1))
    done = dict.fromkeys(arms, 0)
    for pull, (arm, reward) in enumerate(pulls):
        report = {"epoch": done[arm] + 1, "reward": reward, "seconds": 1.0, "metrics": {}}
        events.append(DecisionMade(arm, 1, "because", []))
        events.append(PullStarted(pull, arm, done[arm], 1, "worker-1"))
        events.append(PullFinished(pull, arm, [report], {}, "worker-1"))
        done[arm] += 1
    events += [ArmFailed(arm, "diverged") for arm in failed]
    return events, fold(events, Budget(epochs=100))


def curve(final, gain, pace, epochs):
    return (final - gain * np.exp(-np.arange(epochs) / pace)).tolist()


def test_all_seen_is_exact():
    """The best is at epoch 6 of a, the seventh pull; both arms to epoch 6 would be 12."""
    pulls = [("a", -9 + n) for n in range(5)] + [("b", -8.0), ("a", -3.0)]
    pulls += [("b", -8.0 + n / 10) for n in range(6)]
    saved = estimate_savings(*search(pulls, ["a", "b"]))
    assert saved == Savings(spent=7, uniform=12, low=12, high=12, arms=2)
    assert saved.saved == 5
    assert saved.sentence() == (
        "Best checkpoint after 7 epochs; training all 2 arms equally would have taken about 12 "
        "to find one as good: 5 epochs saved, 42%."
    )


def test_an_arm_left_behind_without_hope_changes_nothing():
    pulls = [("bad", r) for r in curve(-9.0, 0.2, 2.0, 6)]
    pulls += [("good", r) for r in curve(-3.0, 5.0, 3.0, 30)]
    saved = estimate_savings(*search(pulls, ["bad", "good"]))
    assert (saved.low, saved.uniform, saved.high) == (60, 60, 60)
    assert saved.spent == 36


def test_an_arm_left_behind_with_hope_widens_the_range():
    """Cut while it rose as the winner did: it may well have got there as early or earlier."""
    rising = curve(-3.0, 5.0, 6.0, 30)
    pulls = [("left", r + 0.05) for r in rising[:8]] + [("won", r) for r in rising]
    saved = estimate_savings(*search(pulls, ["left", "won"]))
    assert saved.low < saved.uniform <= saved.high <= 60


def test_failed_arms_cost_only_what_they_used():
    pulls = [("bad", -9.0), ("bad", -8.0)] + [("good", r) for r in curve(-3.0, 5.0, 3.0, 10)]
    saved = estimate_savings(*search(pulls, ["bad", "good"], failed=["bad"]))
    assert saved.uniform == 10 + 2


def test_it_can_be_a_loss():
    pulls = [("b", -9.0)] * 9 + [("a", -3.0)]
    saved = estimate_savings(*search(pulls, ["a", "b"]))
    assert saved.saved == -8
    assert "8 epochs more than that" in saved.sentence()


@pytest.mark.parametrize(("pulls", "arms"), [([], ["a", "b"]), ([("a", -3.0)], ["a"])])
def test_nothing_to_compare(pulls, arms):
    assert estimate_savings(*search(pulls, arms)) is None


def test_the_same_search_gives_the_same_estimate():
    rising = curve(-3.0, 5.0, 6.0, 30)
    events, state = search(
        [("left", r) for r in rising[:8]] + [("won", r) for r in rising], ["left", "won"]
    )
    assert estimate_savings(events, state) == estimate_savings(events, state)
