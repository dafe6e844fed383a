"""The scheduler driven by hand, over a Tune in one process that keeps Tune's rules."""

import pytest
from fake_tune import LOSSES, FakeTrial, FakeTune, scheduler

from vaesearch import catalogue
from vaesearch.bandits.core import Budget, Decision
from vaesearch.errors import PolicyError
from vaesearch.events import DecisionMade
from vaesearch.integrations.account import fold
from vaesearch.integrations.ray_tune import LOG_NAME, BanditScheduler
from vaesearch.recordings import Curve, Manifest, Recording
from vaesearch.search.ledger import read_ledger
from vaesearch.search.replays import replay

pytestmark = pytest.mark.usefixtures("no_disk")


def log(folder):
    return read_ledger(folder / LOG_NAME)


def decided(events):
    return [(e.arm, e.epochs) for e in events if isinstance(e, DecisionMade)]


@pytest.mark.parametrize("policy", [e.name for e in catalogue.POLICIES])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_worker_does_what_a_replay_of_the_policy_does(policy, seed, tmp_path):
    tune = FakeTune(scheduler(policy, max_t=12, seed=seed), LOSSES, tmp_path, slots=1)
    tune.run()
    curves = {n: Curve(n, 0, tuple(c), (1.0,) * 20, (None,) * 20) for n, c in LOSSES.items()}
    recording = Recording(Manifest("toy", "loss", "min"), tuple(curves.values()))
    events = []
    replay(
        recording, curves, catalogue.build("policies", policy), Budget(epochs=24, cap=12),
        seed=seed, observers=(lambda event, state: events.append(event),),
    )  # fmt: skip
    assert decided(log(tmp_path)) == decided(events)
    assert len(tune.trained) == 24


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("policy", ["uniform", "uniform:chunk=3", "thompson"])
def test_the_budget_is_spent_exactly(policy, workers, tmp_path):
    tune = FakeTune(scheduler(policy, epochs=23, workers=workers), LOSSES, tmp_path, slots=3)
    assert tune.run() < 1000
    assert len(tune.trained) == len(set(tune.trained)) == 23
    assert tune.scheduler.book.account.finished.reason == "the budget of 23 epochs is spent"


def test_no_more_trials_run_than_there_are_workers(tmp_path):
    tune = FakeTune(scheduler("uniform", workers=2), LOSSES, tmp_path, slots=4)
    for _ in range(20):
        tune.step()
        assert sum(t.status in ("RUNNING", "PENDING") for t in tune.trials) <= 2


def test_a_cap_holds_for_every_trial(tmp_path):
    tune = FakeTune(scheduler("thompson", epochs=100, max_t=5), LOSSES, tmp_path)
    tune.run()
    assert sorted(tune.trained) == sorted((n, e) for n in LOSSES for e in range(1, 6))


def test_the_log_alone_gives_the_account(tmp_path):
    tune = FakeTune(scheduler("uniform:chunk=2", workers=2), LOSSES, tmp_path)
    tune.run(9)
    assert fold(log(tmp_path), Budget(24, workers=2)) == tune.scheduler.book.account


# --- trials that fail ---


def test_a_trial_that_fails_is_out_and_its_epochs_go_to_others(tmp_path):
    losses = LOSSES | {"bad": [8.0, ValueError("broken")]}
    tune = FakeTune(scheduler("uniform"), losses, tmp_path)
    tune.run()
    arm = tune.scheduler.history.arm("bad")
    assert (arm.epochs, arm.status) == (1, "failed")
    assert "error.txt" in tune.scheduler.book.account.notes["bad"]
    assert len(tune.trained) == 23  # and the epoch that failed


def test_a_trial_that_is_tried_again_is_still_one_arm(tmp_path):
    tune = FakeTune(scheduler("uniform", epochs=12), LOSSES, tmp_path, max_failures=1)
    tune.curves = LOSSES | {"bad": [8.0, 7.0, ValueError("once")]}
    while tune.trials[3].failures_left:
        tune.step()
    assert tune.trials[3].status == "PAUSED"
    tune.curves = LOSSES
    tune.run()
    assert sorted(arm.epochs for arm in tune.scheduler.history.arms) == [2, 3, 3, 3]
    assert tune.scheduler.book.account.spent == 12


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_fails_the_arm(loss, tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES | {"bad": [8.0, loss]}, tmp_path)
    tune.run()
    assert tune.scheduler.history.arm("bad").status == "failed"
    assert str(loss) in tune.scheduler.book.account.notes["bad"]
    assert len(tune.trained) == tune.scheduler.book.account.spent == 24


def test_a_trial_that_tune_ended_in_silence_is_closed(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path)
    tune.run(5)
    tune.trials[3].status = "ERROR"
    tune.run()
    assert tune.scheduler.history.arm("bad").status == "failed"
    assert tune.scheduler.book.account.finished


def test_a_trial_that_ends_by_itself_is_no_failure(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES | {"fast": LOSSES["fast"][:2]}, tmp_path)
    tune.run()
    arm = tune.scheduler.history.arm("fast")
    assert (arm.epochs, arm.status) == (2, "cut")
    assert len(tune.trained) == 24


def test_a_last_epoch_that_comes_with_the_end_counts(tmp_path):
    tune = FakeTune(scheduler("uniform", epochs=9), LOSSES, tmp_path, slots=1)
    tune.step()
    trial = next(t for t in tune.trials if t.status in ("PAUSED", "RUNNING") and t.epoch == 0)
    while trial.status != "RUNNING":
        tune.scheduler.choose_trial_to_run(tune)
        trial = next(t for t in tune.trials if t.trial_id in _in_flight(tune))
        trial.status = "RUNNING"
    trial.epoch += 1
    tune.stop_trial(trial)
    assert tune.scheduler.history.arm(trial.name).epochs == 1
    assert tune.scheduler.book.account.notes[trial.name] == "its training ended"


def _in_flight(tune):
    account = tune.scheduler.book.account
    return [account.trials[name] for name in account.flights]


def test_an_epoch_out_of_turn_fails_the_arm(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path, slots=1)
    tune.run(6)
    trial = next(t for t in tune.trials if t.status == "RUNNING" or t.status == "PAUSED")
    while trial.trial_id not in _in_flight(tune):
        tune.step()
    trial.status = "RUNNING"
    again = {"training_iteration": 1, "loss": 8.0}
    assert tune.scheduler.on_trial_result(tune, trial, again) == "STOP"
    assert "epoch 1 where" in tune.scheduler.book.account.notes[trial.name]


def test_an_epoch_that_nobody_asked_for_is_paid_for(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path, slots=1)
    tune.run(3)
    spent = tune.scheduler.book.account.spent
    trial = next(t for t in tune.trials if t.trial_id not in _in_flight(tune))
    result = {"training_iteration": trial.epoch + 1, "loss": 8.0}
    assert tune.scheduler.on_trial_result(tune, trial, result) == "PAUSE"
    assert tune.scheduler.book.account.spent == spent + 1


# --- trials that come late, policies that go wrong ---


def test_a_trial_may_join_late(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path)
    tune.run(6)
    tune.curves = LOSSES | {"new": LOSSES["late"]}
    tune.add(FakeTrial("new", tmp_path))
    tune.run()
    assert sorted(arm.epochs for arm in tune.scheduler.history.arms) == [4, 5, 5, 5, 5]


def test_arms_at_their_cap_make_room_for_trials_to_come(tmp_path):
    tune = FakeTune(scheduler("uniform", epochs=100, max_t=2), LOSSES, tmp_path, more=True)
    tune.run(60)
    assert tune.is_finished
    assert not tune.scheduler.book.account.finished


class Wrong:
    def choose(self, history, rng):
        return Decision("nobody", "a mistake")


class Idle:
    def choose(self, history, rng):
        return Decision(None, "good enough")


def test_a_policy_that_names_no_free_arm_is_told_so(tmp_path):
    with pytest.raises(PolicyError, match=r"policy Wrong.*'nobody', which is unknown"):
        FakeTune(scheduler(Wrong()), LOSSES, tmp_path).step()


def test_a_policy_may_end_the_search(tmp_path):
    tune = FakeTune(scheduler(Idle()), LOSSES, tmp_path)
    tune.run()
    assert not tune.trained
    assert tune.scheduler.book.account.finished.reason == "good enough"


def test_a_policy_that_waits_is_not_asked_again_before_something_happened(tmp_path):
    class OneAtATime:
        asked = 0

        def choose(self, history, rng):
            self.asked += 1
            busy = any(arm.pending for arm in history.arms)
            return Decision(None if busy else history.candidates[0].name, "one", epochs=3)

    policy = OneAtATime()
    tune = FakeTune(scheduler(policy, epochs=9, workers=4), LOSSES, tmp_path, slots=4)
    tune.run()
    assert len(tune.trained) == 9
    assert policy.asked <= 9


# --- seconds ---


def test_seconds_end_a_search_after_the_epoch_under_way(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("vaesearch.integrations.ray_tune.time.time", lambda: now[0])
    timed = BanditScheduler("uniform:chunk=5", seconds=7.5)
    tune = FakeTune(timed, LOSSES, tmp_path, slots=1)
    for _ in range(100):
        if tune.is_finished:
            break
        now[0] += 1.0
        tune.step()
    assert len(tune.trained) == 9  # the last one began before the end; its pull was to go on
    assert "seconds is spent" in timed.book.account.finished.reason
