"""Ray Tune's schedulers, driven through their public methods with stand-ins for the rest of Tune.

The stand-in of the controller does what Tune's own does as far as a scheduler can tell: trials
are announced in order, what is pending starts first come, first served, a paused trial queues up
when the scheduler chooses it, and a stopped one is reported as complete or, if it was not
running, as removed. ``tuner_check.py`` compares its decisions with a real ``Tuner``.
"""

from typing import Any

from peers.drive import Verdict

METRIC = "reward"


class StandInTrial:
    """The part of a trial that schedulers look at."""

    is_saving = False

    def __init__(self, arm: int) -> None:
        self.arm = arm
        self.trial_id = f"trial-{arm}"
        self.status = "PENDING"
        self.last_result: dict[str, Any] = {}


class RayTune:
    """A ``TrialScheduler`` and the controller around it."""

    def __init__(self, scheduler: Any, arms: int) -> None:
        self._scheduler = scheduler
        self._trials = [StandInTrial(arm) for arm in range(arms)]
        for trial in self._trials:
            scheduler.on_trial_add(self, trial)
        self._queue = list(self._trials)

    def next(self) -> int | None:
        """The head of the queue, after the scheduler's wish has joined it."""
        self._stage()
        waiting = [trial for trial in self._queue if trial.status == "PENDING"]
        if not waiting:
            return None
        self._queue = waiting[1:]
        waiting[0].status = "RUNNING"
        self._stage()
        return waiting[0].arm

    def report(self, arm: int, epoch: int, reward: float) -> Verdict:
        """Pass the result on and do what the scheduler says."""
        trial = self._trials[arm]
        trial.last_result = {"training_iteration": epoch, METRIC: reward}
        action = self._scheduler.on_trial_result(self, trial, trial.last_result)
        if action == "STOP":
            self.stop_trial(trial)
        elif action == "PAUSE":
            trial.status = "PAUSED"
        verdicts: dict[str, Verdict] = {"CONTINUE": "continue", "PAUSE": "pause", "STOP": "stop"}
        return verdicts[action]

    # --- what schedulers ask of the controller ---

    def get_trials(self) -> list[StandInTrial]:
        """All of them, in order."""
        return self._trials

    def stop_trial(self, trial: StandInTrial) -> None:
        """Report the end of ``trial`` to the scheduler, which may itself have asked for it."""
        before, trial.status = trial.status, "TERMINATED"
        if before == "RUNNING":
            self._scheduler.on_trial_complete(self, trial, trial.last_result)
        elif before != "TERMINATED":
            self._scheduler.on_trial_remove(self, trial)

    def _stage(self) -> None:
        chosen = self._scheduler.choose_trial_to_run(self)
        if chosen is not None and chosen not in self._queue:
            chosen.status = "PENDING"
            self._queue.append(chosen)


def asha_scheduler(cap: int, **options: Any) -> Any:
    """``ASHAScheduler``, which is another name of ``AsyncHyperBandScheduler``."""
    from ray.tune.schedulers import ASHAScheduler

    return ASHAScheduler(metric=METRIC, mode="max", max_t=cap, **options)


def hyperband_scheduler(cap: int, **options: Any) -> Any:
    from ray.tune.schedulers import HyperBandScheduler

    return HyperBandScheduler(metric=METRIC, mode="max", max_t=cap, **options)
