"""Plain Optuna on the landscape: ``study.optimize`` on a study in memory.

After each epoch the objective reports the best bits/dim of the trial so far, which is also what it
returns: what could be handed out. That is what `vaesearch tune` tells its sampler, too.
"""

from typing import Any

import optuna

from tuning.landscape import Landscape
from tuning.record import Recorder
from vaesearch.search.tuning.suggesting import ask


def optimize(
    landscape: Landscape,
    recorder: Recorder,
    *,
    sampler: str,
    pruner: str,
    trials: int | None = None,
    **options: Any,
) -> optuna.Study:
    """Until the recorder's seconds are over; an epoch that is not finished by then is dropped.

    Args:
        landscape: to search.
        recorder: hears of every epoch.
        sampler: class in ``optuna.samplers``; seeded, otherwise as it comes.
        pruner: class in ``optuna.pruners``.
        trials: most of them; None for as many as there is time for.
        options: of the pruner.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    recorder.begin()
    study = optuna.create_study(
        study_name=f"seed-{landscape.seed}",  # decides which bracket of Hyperband a trial is in
        direction="minimize",
        sampler=getattr(optuna.samplers, sampler)(seed=landscape.seed),
        pruner=getattr(optuna.pruners, pruner)(**options),
    )

    def objective(trial: optuna.Trial) -> float:
        arm = landscape.arm(trial.number, ask(trial, landscape.space))
        best = float("inf")
        epoch = None
        for epoch in landscape.epochs(arm, recorder.deadline):
            recorder.add(arm, epoch.number, epoch.bpd, epoch.seconds)
            best = min(best, epoch.bpd)
            trial.report(best, step=epoch.number)
            if trial.should_prune():
                raise optuna.TrialPruned
        whole = epoch is not None and epoch.number == landscape.problem.cap
        return best if whole else float("nan")  # Optuna's way to say that a trial failed

    study.optimize(objective, n_trials=trials, timeout=recorder.seconds)
    return study
