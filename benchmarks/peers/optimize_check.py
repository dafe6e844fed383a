"""Whether ``study.optimize`` prunes as our ask-and-tell drive of Optuna does."""

from collections.abc import Mapping
from typing import Any

from common import hardware, table
from instances import Instance, Pool, draw

from peers.drive import drive
from peers.optuna_pruners import OptunaStudy, pruner

SIZES = (5, 10)
INSTANCES = 5
SEED = 3
Epochs = list[tuple[int, int]]


def check(pools: Mapping[str, Pool]) -> str:
    """A table with a row per pruner: in how many instances both trained the same epochs."""
    drawn = [
        draw(pool, size, number)
        for pool in pools.values()
        for size in SIZES
        for number in range(INSTANCES)
    ]
    instances = [instance for instance in drawn if instance is not None]
    rows = []
    for name, options in _pruners().items():
        same = sum(
            _driven(name.split()[0], options, instance)
            == _optimized(name.split()[0], options, instance)
            for instance in instances
        )
        rows.append([name, f"{same} of {len(instances)}"])
    head = ["pruner", "same epochs in the same order"]
    title = "# `study.optimize` beside our drive of Optuna's pruners\n\n"
    return f"{title}{', '.join(pools)}; {hardware('optuna')}\n\n{table(head, rows)}"


def _pruners() -> dict[str, dict[str, Any]]:
    return {
        "MedianPruner": {},
        "MedianPruner with 1 start-up trial": {"n_startup_trials": 1},
        "SuccessiveHalvingPruner": {},
        "SuccessiveHalvingPruner with factor 2": {"min_resource": 1, "reduction_factor": 2},
        "HyperbandPruner": {"min_resource": 1},
    }


def _made(name: str, options: dict[str, Any], instance: Instance) -> Any:
    whole = {"max_resource": instance.cap} if name == "HyperbandPruner" else {}
    return pruner(name, **options, **whole)


def _driven(name: str, options: dict[str, Any], instance: Instance) -> Epochs:
    study = OptunaStudy(_made(name, options, instance), instance.size, instance.cap, SEED)
    return [(step.arm, step.epoch) for step in drive(study, instance, instance.epochs(1.0))]


def _optimized(name: str, options: dict[str, Any], instance: Instance) -> Epochs:
    import optuna

    heard: Epochs = []

    def objective(trial: Any) -> float:
        arm = trial.suggest_int("arm", 0, instance.size - 1)
        reward = float("nan")
        for epoch in range(1, instance.cap + 1):
            heard.append((arm, epoch))
            reward = float(instance.valid[arm, epoch - 1])
            trial.report(reward, step=epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return reward

    study = optuna.create_study(
        study_name=f"seed-{SEED}", direction="maximize", pruner=_made(name, options, instance)
    )
    for arm in range(instance.size):
        study.enqueue_trial({"arm": arm})
    study.optimize(objective, n_trials=instance.size)
    return heard
