"""Optuna's pruners as policies: what `study.optimize` trains, epoch by epoch."""

import numpy as np
import optuna
import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, PullFinished
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.replays import MemoryLog
from vaesearch.search.state import fold
from vaesearch.search.tuning.pruners import STUDY, make_pruner, pruners

TRIALS, CAP = 30, 12
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.01, (TRIALS, CAP))
RISES = RNG.random((TRIALS, 1)) * np.exp(-np.arange(CAP) / RNG.uniform(1, 9, (TRIALS, 1)))
REWARDS = -4.0 - RISES - RNG.uniform(0, 0.3, (TRIALS, 1)) + NOISE
CURVES = {
    f"trial-{number:03d}": [EpochReport(n, float(r), 1.0, {}) for n, r in enumerate(row, start=1)]
    for number, row in enumerate(REWARDS)
}
SPECS = (
    "pruner", "pruner:median,n_startup_trials=2,n_warmup_steps=3", "pruner:hyperband",
    "pruner:hyperband,min_resource=1,reduction_factor=2", "pruner:successive-halving",
    "pruner:successive-halving,min_resource=1,reduction_factor=2", "pruner:percentile:25",
    "pruner:patient,wrapped=median,patience=2", "pruner:threshold,lower=-4.9",
    "pruner:wilcoxon", "pruner:none",
)  # fmt: skip


class InTurn:
    """The recorded trials in order, whenever the policy has room for one."""

    def __init__(self, policy):
        self.policy = policy

    def next_arms(self, state):
        number = len(state.arms)
        if number == TRIALS or not self.policy.opening(state.history, [""], None):
            return []
        settings = vars(TrialSettings(decoder="mlp"))
        return [ArmAdded(f"trial-{number:03d}", settings, 1)]


def trained(events):
    return [(e.arm, r["epoch"]) for e in events if isinstance(e, PullFinished) for r in e.reports]


def searched(spec, *, epochs=TRIALS * CAP, workers=1):
    """The state at the end of a search, and what was trained."""
    policy = catalogue.build("policies", spec)
    budget = Budget(epochs=epochs, cap=CAP, workers=workers, trials=TRIALS)
    backend, heard = ReplayBackend(CURVES, workers), []
    controller = Controller(
        MemoryLog(backend), fold([], budget), policy, backend, seed=0, source=InTurn(policy),
        observers=[lambda event, state: heard.append(event)],
    )  # fmt: skip
    controller.run()
    return controller.state, trained(heard)


def optimized(spec):
    """What ``study.optimize`` trains with the same pruner."""
    policy = catalogue.build("policies", spec)
    pruner = make_pruner(policy.name, *policy.values, **dict(policy.options))
    heard = []

    def objective(trial):
        for epoch, report in enumerate(CURVES[f"trial-{trial.number:03d}"], start=1):
            heard.append((f"trial-{trial.number:03d}", epoch))
            trial.report(report.reward, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return report.reward

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name=STUDY, direction="maximize", pruner=pruner)
    study.optimize(objective, n_trials=TRIALS)
    return heard


@pytest.mark.parametrize("spec", SPECS)
def test_one_worker_trains_what_optimize_does(spec):
    state, steps = searched(spec)
    assert steps == optimized(spec)
    # What is stopped before its cap is cut, with a reason, but for the very last.
    early = [n for n, a in state.arms.items() if a.epoch < CAP]
    assert all(
        state.arms[name].note.startswith("pruned by")
        for name in early
        if name != f"trial-{TRIALS - 1:03d}"
    )


@pytest.mark.parametrize("spec", ["pruner:median", "pruner:successive-halving,min_resource=1"])
def test_memory_changes_nothing(spec):
    """A policy that saw the whole search decides as one that sees the history first now."""
    veteran, history = catalogue.build("policies", spec), History(Budget(epochs=300, cap=CAP))
    pruned = 0
    for number in range(15):
        name = f"trial-{number:03d}"
        history = history.added(name)
        for reward in REWARDS[number]:
            decision = veteran.choose(history, None)
            assert decision == catalogue.build("policies", spec).choose(history, None)
            for cut in decision.cut:
                history = history.closed(cut, "cut")
            if decision.arm is None:
                break
            history = history.started(name, 1).observed(name, [float(reward)], [1.0])
        pruned += history.arm(name).status == "cut"
    assert pruned > 3


def test_several_workers_have_a_trial_each_and_the_budget_is_spent():
    state, steps = searched("pruner:median", epochs=100, workers=3)
    assert state.history.spent == 100
    assert [arm for arm, epoch in steps[:3]] == list(CURVES)[:3]


def test_fixed_arms_are_trained_in_turn():
    arms = (ArmHistory("b", (-4.0,), (1.0,)), ArmHistory("a"))
    decision = catalogue.build("policies", "pruner").choose(History(Budget(epochs=9), arms), None)
    assert decision.arm == "b"


def test_every_pruner_of_optuna_has_a_name():
    assert sorted(pruners()) == [
        "hyperband", "median", "none", "patient", "percentile", "successive-halving",
        "threshold", "wilcoxon",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("pruner:mediam", "did you mean 'median'"),
        ("pruner:median,warmup=3", "it takes n_startup_trials"),
        ("pruner:percentile", "it takes percentile"),
        ("pruner:percentile:250", "percentile"),
        ("pruner:threshold", "it takes lower"),
        ("pruner:none,patience=2", "it takes nothing"),
        ("pruner:patient,wrapped=soon,patience=1", "soon"),
        ("pruner:median,chunk=0", "chunk must be"),
    ],
)
def test_what_is_refused(spec, words):
    with pytest.raises(InputError, match=words):
        catalogue.build("policies", spec)
