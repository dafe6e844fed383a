"""Optuna's pruners through ask and tell: one enqueued trial per arm, a report after every epoch.

Optuna cannot take a pruned trial up again. The sampler has nothing to choose, as every trial's
arm is enqueued. Epochs count from 1.
"""

from typing import Any

from peers.drive import Verdict


class OptunaStudy:
    """A study whose trials are the arms."""

    def __init__(self, pruner: Any, arms: int, cap: int, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        # The name decides which bracket of Hyperband a trial falls into.
        self._study = optuna.create_study(
            study_name=f"seed-{seed}",
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=seed),
            pruner=pruner,
        )
        for arm in range(arms):
            self._study.enqueue_trial({"arm": arm})
        self._arms = arms
        self._cap = cap
        self._trials: dict[int, Any] = {}

    def next(self) -> int | None:
        """The next arm in order, as long as there is one."""
        if len(self._trials) == self._arms:
            return None
        trial = self._study.ask()
        arm = trial.suggest_int("arm", 0, self._arms - 1)
        self._trials[arm] = trial
        return arm

    def report(self, arm: int, epoch: int, reward: float) -> Verdict:
        """Tell the epoch's reward; the answer is to go on or to stop for good."""
        trial = self._trials[arm]
        trial.report(reward, step=epoch)
        if trial.should_prune():
            self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
            return "stop"
        if epoch < self._cap:
            return "continue"
        self._study.tell(trial, reward)
        return "stop"


def pruner(name: str, **options: Any) -> Any:
    import optuna

    return getattr(optuna.pruners, name)(**options)
