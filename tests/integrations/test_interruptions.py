"""Killed, restored, failed: what is paid for, and that it is never more than the budget."""

import pickle
import random

import numpy as np
import pytest
from fake_tune import LOSSES, FakeTune, scheduler

from vaesearch.errors import InputError
from vaesearch.events import PullFinished, SearchResumed
from vaesearch.integrations.ray_tune import LOG_NAME
from vaesearch.search.ledger import read_ledger

pytestmark = pytest.mark.usefixtures("no_disk")


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize(
    ("policy", "stride"), [("uniform:chunk=3", 1), ("successive-halving", 1), ("thompson", 4)]
)
def test_killed_anywhere_the_budget_still_holds(policy, stride, stale, tmp_path):
    """After any number of steps; Tune knows the last checkpoints, or none of them."""
    for steps in range(1, 30, stride):
        folder = tmp_path / str(steps)
        begun = scheduler(policy, workers=2)
        pristine = pickle.dumps(begun)
        tune = FakeTune(begun, LOSSES, folder)
        tune.run(steps)
        if tune.is_finished:
            assert steps > 20
            break
        tune = tune.killed_and_restored(pickle.loads(pristine), stale=stale)
        assert tune.run() < 1000
        account = tune.scheduler.book.account
        assert len(tune.trained) <= account.spent <= 24
        assert account.finished
        if not stale:
            assert len(tune.trained) >= 24 - 2  # an epoch per worker may be paid for in vain
            repeated = len(tune.trained) - len(set(tune.trained))
            # Per worker the epoch that was lost, and the pull that Tune had not noted down.
            assert repeated <= 2 * (1 + (3 if "chunk" in policy else 1))


def test_killed_again_and_again(tmp_path):
    begun = scheduler("thompson", workers=2)
    pristine = pickle.dumps(begun)
    tune = FakeTune(begun, LOSSES, tmp_path)
    kills = 0
    while tune.run(2) == 2:
        tune = tune.killed_and_restored(pickle.loads(pristine))
        kills += 1
    assert kills > 4
    assert len(tune.trained) <= tune.scheduler.book.account.spent == 24


def test_a_restore_trains_nothing_unasked_and_keeps_what_was_cut(tmp_path):
    begun = scheduler("successive-halving", epochs=40)
    pristine = pickle.dumps(begun)
    tune = FakeTune(begun, LOSSES, tmp_path)
    while not any(arm.status == "cut" for arm in (begun.history.arms if begun._book else ())):
        tune.step()
    cut = {arm.name for arm in begun.history.arms if arm.status == "cut"}
    before = len(tune.trained)
    tune = tune.killed_and_restored(pickle.loads(pristine))
    tune.run()
    assert not cut & {name for name, _ in tune.trained[before + 1 :]}
    in_log = [e for e in read_ledger(tmp_path / LOG_NAME) if isinstance(e, PullFinished)]
    assert all(event.pull >= 0 for event in in_log)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_goes_wrong_the_budget_holds(seed, tmp_path):
    """Kills with and without a snapshot, failures with and without another try, NaN, caps."""
    rng = random.Random(seed)
    losses = {name: list(curve) for name, curve in LOSSES.items()}
    for curve in losses.values():
        curve[rng.randrange(1, 20)] = rng.choice([float("nan"), ValueError("broken"), 1.0])
    policy = rng.choice(["uniform:chunk=3", "thompson", "successive-halving", "epsilon-greedy"])
    begun = scheduler(policy, epochs=30, workers=rng.randint(1, 3), max_t=rng.choice([None, 12]))
    pristine = pickle.dumps(begun)
    tune = FakeTune(begun, losses, tmp_path, slots=rng.randint(1, 3), max_failures=1)
    for _ in range(rng.randint(0, 5)):
        if tune.run(rng.randint(1, 9)) and not tune.is_finished:
            tune = tune.killed_and_restored(pickle.loads(pristine), stale=rng.random() < 0.3)
    assert tune.run() < 1000
    account = tune.scheduler.book.account if tune.scheduler._book else begun.book.account
    assert len(tune.trained) <= account.spent <= 30
    assert account.finished


def test_a_scheduler_travels_without_its_state(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path)
    assert "BanditScheduler" in tune.scheduler.debug_string()
    tune.run(7)
    assert "of 24 epochs; running: " in tune.scheduler.debug_string()
    copied = pickle.loads(pickle.dumps(tune.scheduler))
    with pytest.raises(InputError, match="no log before its first trial"):
        copied.book  # noqa: B018
    restored = tune.killed_and_restored(copied)
    restored.run()
    assert sum(isinstance(event, SearchResumed) for event in read_ledger(tmp_path / LOG_NAME)) == 1
    assert np.isclose(copied.history.arm("fast").value, -min(LOSSES["fast"][:6]), atol=0.5)
