"""As much of Ray Tune 2.60 as a scheduler meets, in one process: its rules, none of its machinery.

What Tune does without asking is done here too: it starts every PENDING trial, sets every trial
that has not ended PENDING on restore, adds a trial that failed a second time, and hides what a
scheduler raises while trials are restored.
"""

import copy
from pathlib import Path
from types import SimpleNamespace

from ray.tune import Trainable
from replays import curve

from vaesearch.integrations.ray_tune import BanditScheduler

ENDED = ("TERMINATED", "ERROR")
LOSSES = {
    name: [-report.reward for report in curve(*shape, epochs=20)]
    for name, shape in {
        "fast": (-8, -5.0, 3), "late": (-8, -4.0, 15), "slow": (-8, -6.0, 10), "bad": (-9, -8, 2)
    }.items()
}  # fmt: skip


def by_name(config):
    return config["name"]


def scheduler(policy="successive-halving", epochs=24, **options):
    return BanditScheduler(policy, epochs=epochs, key=by_name, **options)


class Saving(Trainable):
    def save_checkpoint(self, checkpoint_dir):
        return {}

    def load_checkpoint(self, checkpoint):
        pass


class FakeTrial:
    def __init__(self, name, folder, *, trainable=Saving, max_failures=0):
        self.trial_id, self.config, self.status = f"id-{name}", {"name": name}, "PENDING"
        self.latest_checkpoint_result = None
        self.error_file = "error.txt"
        self.failures_left = max_failures
        self.epoch = 0
        self.trainable = trainable
        self.storage = SimpleNamespace(
            storage_filesystem=SimpleNamespace(type_name="local"), experiment_fs_path=str(folder)
        )

    @property
    def name(self):
        return self.config["name"]

    @property
    def checkpoint(self):
        return self.latest_checkpoint_result and self.latest_checkpoint_result.checkpoint

    def set_status(self, status):
        self.status = status

    def should_recover(self):
        return self.failures_left >= 0

    def is_finished(self):
        return self.status in ENDED

    def get_trainable_cls(self):
        return self.trainable

    def save(self):
        self.latest_checkpoint_result = SimpleNamespace(
            metrics={"training_iteration": self.epoch},
            checkpoint=SimpleNamespace(path=f"{self.name}/{self.epoch}"),
        )

    def load(self):
        saved = self.latest_checkpoint_result
        self.epoch = saved.metrics["training_iteration"] if saved else 0


class FakeTune:
    """Steps a scheduler through trials whose losses are ``curves``; ``trained`` is what ran.

    A loss that is an exception fails the trial, with one of them less the next time. A trial ends
    by itself where its curve does.
    """

    def __init__(self, scheduler, curves, folder, *, slots=2, more=False, **trial):
        self.scheduler, self.curves, self.slots = scheduler, curves, slots
        self.trials, self.trained = [], []
        self.search_alg = SimpleNamespace(is_finished=lambda: not more)
        self.snapshot = {}
        scheduler.set_search_properties("loss", "min")
        self.add(*(FakeTrial(name, folder, **trial) for name in curves))

    @property
    def _tune_controller(self):
        return self

    def checkpoint(self, force=False):
        self.snapshot = {t.name: t.latest_checkpoint_result for t in self.trials}

    def add(self, *trials):
        for trial in trials:
            self.trials.append(trial)
            self.scheduler.on_trial_add(self, trial)

    def _set_trial_status(self, trial, status):
        trial.set_status(status)

    def _schedule_trial_save(self, trial):
        trial.save()

    def stop_trial(self, trial):
        was, trial.status = trial.status, "TERMINATED"
        if was == "RUNNING":
            last = {"training_iteration": trial.epoch, "loss": self.curves[trial.name][0]}
            self.scheduler.on_trial_complete(self, trial, last)
        else:
            self.scheduler.on_trial_remove(self, trial)

    @property
    def is_finished(self):
        return all(trial.is_finished() for trial in self.trials)

    def run(self, steps=1000):
        """Step until all trials have ended or ``steps`` are over; returns the steps made."""
        for step in range(steps):
            if self.is_finished:
                return step
            self.step()
        return steps

    def step(self):
        """Start what is to be started, then one epoch of the trial that has waited longest."""
        chosen = self.scheduler.choose_trial_to_run(self)
        assert self.scheduler.choose_trial_to_run(self) is chosen
        running = [t for t in self.trials if t.status == "RUNNING"]
        pending = [t for t in self.trials if t.status == "PENDING"]
        if chosen:
            assert chosen.status in ("PENDING", "PAUSED")
        for trial in dict.fromkeys([chosen, *pending] if chosen else pending):
            if len(running) < self.slots:
                trial.load()
                trial.status = "RUNNING"
                running.append(trial)
            else:
                trial.status = "PENDING"
        if running:
            self.train(min(running, key=lambda t: len(self.trained) - self._last(t)))

    def _last(self, trial):
        waited = [k for k, (name, _) in enumerate(self.trained) if name == trial.name]
        return -waited[-1] if waited else 1

    def train(self, trial):
        curve = self.curves[trial.name]
        if trial.epoch == len(curve):
            self.stop_trial(trial)
            return
        loss = curve[trial.epoch]
        if isinstance(loss, Exception):
            self.fail(trial)
            return
        trial.epoch += 1
        self.trained.append((trial.name, trial.epoch))
        result = {"training_iteration": trial.epoch, "loss": loss, "time_this_iter_s": 1.0}
        self.obey(trial, self.scheduler.on_trial_result(self, trial, result))

    def obey(self, trial, decision):
        if decision == "PAUSE":
            trial.save()
            trial.status = "PAUSED"
        elif decision == "STOP":
            self.stop_trial(trial)
        else:
            assert decision == "CONTINUE"

    def fail(self, trial):
        trial.failures_left -= 1
        trial.status = "ERROR"
        self.scheduler.on_trial_error(self, trial)
        if trial.should_recover():
            trial.status = "PENDING"
            self.scheduler.on_trial_add(self, trial)

    def killed_and_restored(self, scheduler, *, stale=False):
        """The experiment in a new process; ``stale`` if Tune's snapshot knew no checkpoint.

        What runs finishes its epoch and is killed before it can report it.
        """
        self.trained += [(t.name, t.epoch + 1) for t in self.trials if t.status == "RUNNING"]
        restored = copy.copy(self)
        restored.scheduler, restored.trials = scheduler, []
        scheduler.set_search_properties("loss", "min")
        for old in self.trials:
            trial = FakeTrial(old.name, Path(old.storage.experiment_fs_path))
            trial.latest_checkpoint_result = None if stale else self.snapshot.get(old.name)
            trial.status = old.status if old.is_finished() and not stale else "PENDING"
            restored.add(trial)
        return restored
