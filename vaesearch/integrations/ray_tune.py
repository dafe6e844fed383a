"""A scheduler for Ray Tune that gives each next epoch to the trial a bandit policy chooses.

For trainables of your own; the models of this package are better served by ``vaesearch bandit``.

::

    from ray import tune
    from vaesearch.integrations.ray_tune import BanditScheduler

    scheduler = BanditScheduler("auto", epochs=100, max_t=40)
    tuner = tune.Tuner(
        trainable,
        param_space={"lr": tune.grid_search([1e-4, 1e-3, 1e-2])},
        tune_config=tune.TuneConfig(metric="loss", mode="min", scheduler=scheduler),
    )
    best = tuner.fit().get_best_result("loss", "min", scope="all")

Limits: ``docs/ray_tune.md``. What Tune does inside was read in, and tried on, Ray 2.60.
"""

import time
import weakref
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray.tune import Trainable
from ray.tune.experiment import Trial
from ray.tune.result import SHOULD_CHECKPOINT
from ray.tune.schedulers import TrialScheduler
from ray.tune.trainable import FunctionTrainable

from vaesearch.bandits.core import History, Policy
from vaesearch.errors import InputError
from vaesearch.events import ArmCut, ArmFailed, PullFailed
from vaesearch.integrations.book import Book, read_history
from vaesearch.integrations.options import Measure, budget_of, policy_of

__all__ = ["LOG_NAME", "BanditScheduler", "read_history"]
LOG_NAME = "bandit.jsonl"
_RUNTIME = ("_book", "_arriving", "_trials", "_names", "_saved")


class BanditScheduler(TrialScheduler):  # type: ignore[misc]  # Ray's types are not read
    """Pauses and takes up trials as a policy of :mod:`vaesearch.bandits` says.

    Trials are arms. A trial runs only while the policy has given it epochs; it is paused, with a
    checkpoint, when they are done, and stopped when the policy cuts it or the budget is spent.

    Args:
        policy: ``name[:arguments]`` as in ``vaesearch list policies``, or an object with
            ``choose(history, rng)``.
        epochs: budget, over all trials and over all processes (``Tuner.restore``). An epoch is
            one report of a trial; one that was begun and lost counts.
        seconds: budget in wall-clock time; an epoch under way is not broken off.
        max_t: most epochs per trial.
        workers: how many trials run side by side. Give the cluster room for them, and leave
            ``max_concurrent_trials`` alone: it hides the other trials from the policy.
        metric, mode: what to optimise, ``min`` or ``max``; here or in ``TuneConfig``.
        time_attr: what numbers a trial's epochs 1, 2, 3, ... over pauses.
        seed: of the policy's randomness.
        key: names a trial by its configuration; its trial id otherwise.
        log: JSON lines with every decision and result; ``bandit.jsonl`` in the experiment's
            folder otherwise.

    Raises:
        InputError: unknown policy, no budget, or a number out of range.
    """

    _supports_buffered_results = False

    def __init__(
        self,
        policy: str | Policy = "auto",
        *,
        epochs: int | None = None,
        seconds: float | None = None,
        max_t: int | None = None,
        workers: int = 1,
        metric: str | None = None,
        mode: str | None = None,
        time_attr: str = "training_iteration",
        seed: int = 0,
        key: Callable[[dict[str, Any]], str] | None = None,
        log: str | Path | None = None,
    ) -> None:
        super().__init__()
        self._budget = budget_of(epochs, seconds, max_t, workers)
        self._policy = policy_of(policy)
        self._measure = Measure(metric, mode, time_attr)
        self._metric = metric  # Tune looks here which metric every result must have
        self._seed, self._key = seed, key
        self._log = None if log is None else Path(log)
        self._book: Book | None = None
        self._arriving: list[Any] = []
        self._trials: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._saved: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles a scheduler before it starts, and starts from that again on restore."""
        fresh = BanditScheduler(self._policy, epochs=1).__dict__
        return self.__dict__ | {name: fresh[name] for name in _RUNTIME}

    @property
    def book(self) -> Book:
        """The log and what follows from it.

        Raises:
            InputError: no trial was added yet.
        """
        if self._book is None:
            raise InputError("BanditScheduler has no log before its first trial.")
        return self._book

    @property
    def history(self) -> History:
        """The curves so far."""
        return self.book.account.history

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Take ``metric`` and ``mode`` of ``TuneConfig``; False if others were given before.

        Raises:
            InputError: there is no metric, no mode, or no end to the trials.
        """
        whole = self._measure.completed(metric, mode)
        if whole is None:
            return False
        self._measure, self._metric = whole, whole.metric
        if spec.get("num_samples") == -1:
            raise InputError("num_samples=-1 has no end, and all trials are made at the start.")
        return True

    # --- trials come and go ---

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial is made, restored, or tried again after a failure.

        Tune starts every trial that is PENDING without asking, so none may stay that way.
        """
        if trial.trial_id in self._names:
            tune_controller._set_trial_status(trial, Trial.PAUSED)
            return
        self._arriving.append(trial)
        if trial.status == Trial.PENDING:
            trial.set_status(Trial.PAUSED)  # Tune files a new trial by its status after this call

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """A trial failed; Tune retries it (``max_failures``) by adding it again."""
        name = self._names[trial.trial_id]
        flight = self.book.account.flights.get(name)
        error = f"trial {trial.trial_id} failed: {trial.error_file}"
        if not trial.should_recover():
            self.book.record(ArmFailed(name, error))
        elif flight:
            self.book.record(PullFailed(flight.pull, name, error))

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """A trial ended by itself or by a stopping rule of Tune, maybe with one more epoch."""
        name = self._names.get(trial.trial_id)
        if name is None or not self.book.is_open(name):
            return
        if result.get(self._measure.time_attr) == self.book.account.expected(name):
            self.book.take(name, self._measure.report(trial.trial_id, result))
        if self.book.is_open(name):
            self.book.record(ArmCut(name, "its training ended"))

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """A paused trial was stopped, by this scheduler or by a stopping rule of Tune."""
        self.on_trial_complete(tune_controller, trial, {})

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Write down an epoch; go on while the pull lasts, then as the policy says.

        Raises:
            InputError: the metric is missing, or a function made no checkpoint.
        """
        name = self._names[trial.trial_id]
        report = self._measure.report(trial.trial_id, result)
        is_function = issubclass(trial.get_trainable_cls(), FunctionTrainable)
        if is_function and self.book.completes_pull(name) and not result.get(SHOULD_CHECKPOINT):
            raise InputError(
                f"trial {trial.trial_id} reported epoch {report.epoch} without a checkpoint and "
                "cannot be paused: call tune.report(metrics, checkpoint=...) every epoch."
            )
        if not self.book.take(name, report):
            return str(TrialScheduler.STOP)
        if name in self.book.account.flights:
            if self.history.at(self.book.elapsed).seconds_left > 0:
                return str(TrialScheduler.CONTINUE)
            self.book.record(ArmCut(name, "the time is up"))
        self._plan(tune_controller)
        if name not in self.book.account.flights:
            return str(TrialScheduler.PAUSE)
        if not is_function:
            tune_controller._schedule_trial_save(trial)  # so that a crash costs this pull at most
        return str(TrialScheduler.CONTINUE)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The next trial that the policy wants and that does not run yet; None if there is none.

        Tune asks several times a second. The answer changes only when something happened.
        """
        self._admit()
        if self._book is None:
            return None
        self._reconcile()
        self._plan(tune_controller)
        self._snapshot(tune_controller)
        for name, trial in self._trials.items():
            if trial.status == Trial.PAUSED and not self.book.is_open(name):
                tune_controller.stop_trial(trial)  # the experiment would never end
        wanted = [self._trials[name] for name in self.book.account.flights]
        for status in (Trial.PAUSED, Trial.PENDING):
            for trial in wanted:
                if trial.status == status:
                    return trial
        return None

    def debug_string(self) -> str:
        """One line for Tune's progress report."""
        if self._book is None:
            return f"BanditScheduler({self._policy})"
        account, total = self.book.account, self._budget.epochs or "any number of"
        running = ", ".join(account.flights) or "none"
        return f"BanditScheduler: {account.spent} of {total} epochs; running: {running}"

    # --- inside ---

    def _admit(self) -> None:
        """Make arms of the trials that came; only now, since Tune hides errors on restore."""
        if self._arriving and self._book is None:
            self._book = self._open(self._arriving)
            weakref.finalize(self, self._book.close)
        while self._arriving:
            trial = self._arriving.pop(0)
            _check_can_pause(trial.get_trainable_cls())
            name = str(self._key(trial.config)) if self._key else str(trial.trial_id)
            self.book.add(name, trial.trial_id, trial.config)
            self._trials[name], self._names[trial.trial_id] = trial, name

    def _open(self, trials: list[Any]) -> Book:
        path, storage = self._log, trials[0].storage
        if path is None:
            if storage.storage_filesystem.type_name != "local":
                raise InputError(
                    "the experiment is not stored on this machine, where the log has to be: give "
                    "BanditScheduler(log=PATH)."
                )
            path = Path(storage.experiment_fs_path, LOG_NAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = {trial.trial_id for trial in trials}
        return Book(
            path, self._policy, self._budget, self._seed, asdict(self._measure), ids, time.time
        )

    def _plan(self, tune_controller: Any) -> None:
        more = not tune_controller.search_alg.is_finished()
        self.book.plan(self._standing(), more_to_come=more)

    def _standing(self) -> dict[str, int]:
        """Where each trial that has not ended would go on: at its last checkpoint."""
        standing = {}
        for name, trial in self._trials.items():
            saved = trial.latest_checkpoint_result
            if trial.status == Trial.RUNNING:
                standing[name] = self.history.arm(name).epochs
            elif not trial.is_finished():
                standing[name] = int(saved.metrics.get(self._measure.time_attr, 0)) if saved else 0
        return standing

    def _reconcile(self) -> None:
        """Close the arms of trials that Tune has ended without saying so."""
        for name, trial in self._trials.items():
            if trial.is_finished() and self.book.is_open(name):
                if flight := self.book.account.flights.get(name):
                    self.book.record(PullFailed(flight.pull, name, "ended by Tune"))
                closed = ArmFailed if trial.status == Trial.ERROR else ArmCut
                self.book.record(closed(name, "ended by Tune"))

    def _snapshot(self, tune_controller: Any) -> None:
        """Let Tune write down the checkpoints that pauses have made.

        By itself it does so every ten seconds or more, and after a crash every trial would go back
        to where it was then. The method is public but not among those promised to schedulers.
        """
        saved = {name: t.checkpoint.path for name, t in self._trials.items() if t.checkpoint}
        controller = getattr(tune_controller, "_tune_controller", None)
        if saved != self._saved and controller is not None:
            controller.checkpoint(force=True)
        self._saved = saved


def _check_can_pause(trainable: Any) -> None:
    """Refuse a class that has no checkpoints; a function shows only when it reports."""
    for method in ("save_checkpoint", "load_checkpoint"):
        if getattr(trainable, method, None) is getattr(Trainable, method):
            raise InputError(f"{trainable.__name__} cannot be paused: write its method {method}.")
