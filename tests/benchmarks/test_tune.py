"""That the comparison of `vaesearch tune` with others is fair: one landscape, one clock."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import pytest
from tuning import methods, optuna_peers, ours
from tuning.landscape import Epoch, Landscape, Problem
from tuning.record import Recorder, Run, load, save

from vaesearch.checkpoints import CheckpointStore
from vaesearch.pull import Workbench
from vaesearch.records import Arm, PullRequest, TrialSettings
from vaesearch.space import Float, Parameter, Space

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tune.py"
PROBLEM = Problem(cap=3, train_limit=128)


@pytest.fixture(autouse=True)
def optuna_is_as_loud_as_before():
    level = optuna.logging.get_verbosity()
    yield
    optuna.logging.set_verbosity(level)


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return Landscape(PROBLEM, 7)


@dataclass
class Slope:
    """A landscape without training: the higher x, the worse from the first epoch on."""

    seed: int = 0
    problem: Problem = field(default_factory=lambda: Problem(cap=9))
    space: Space = field(default_factory=lambda: Space((Parameter("x", Float(0.0, 1.0)),)))
    values: dict[str, float] = field(default_factory=dict)

    def arm(self, trial: int, values: dict[str, float]) -> Arm:
        name = f"trial-{trial:03d}"
        self.values[name] = values["x"]
        return Arm(name, TrialSettings("mlp"))

    def epochs(self, arm: Arm, deadline: float | None = None) -> Iterator[Epoch]:
        for number in range(1, self.problem.cap + 1):
            yield Epoch(number, self.values[arm.name] + 1 / number, 0.0)


def recorded(seconds: float = 60.0) -> Recorder:
    recorder = Recorder(seconds)
    recorder.begin()
    return recorder


@pytest.mark.parametrize(
    ("pruner", "options"),
    [
        ("MedianPruner", {}),
        ("HyperbandPruner", {"min_resource": 1, "max_resource": 9, "reduction_factor": 3}),
    ],
)
def test_peers_prune(pruner, options):
    recorder = Recorder(60.0)
    study = optuna_peers.optimize(
        Slope(), recorder, sampler="TPESampler", pruner=pruner, trials=30, **options
    )
    states = [trial.state.name for trial in study.trials]
    assert states.count("PRUNED") > 5
    assert states.count("COMPLETE") > 2
    assert len(recorder.steps) < 30 * 9


def test_without_a_pruner_every_trial_is_trained_to_the_cap():
    recorder = Recorder(60.0)
    optuna_peers.optimize(Slope(), recorder, sampler="RandomSampler", pruner="NopPruner", trials=4)
    assert [s.epoch for s in recorder.steps] == [*range(1, 10)] * 4


def test_a_trial_that_ends_early_by_itself_is_no_result(landscape):
    class Broken(Slope):
        def epochs(self, arm, deadline=None):
            yield from list(super().epochs(arm, deadline))[:2]

    study = optuna_peers.optimize(
        Broken(), Recorder(60.0), sampler="RandomSampler", pruner="NopPruner", trials=2
    )
    assert {trial.state.name for trial in study.trials} == {"FAIL"}


def test_a_pull_of_ours_is_an_epoch_of_the_landscape(landscape, tmp_path):
    bench = Workbench(landscape.data, CheckpointStore(tmp_path), seed=7, reward="bpd")
    arm = landscape.arm(2, {"latent_dim": 5, "alpha": 0.1, "batch_size": 32})
    first = bench.pull(PullRequest(0, arm, 0, 1))
    second = bench.pull(PullRequest(1, arm, 1, 2, digest=first.checkpoints[1]))
    pulled = [report.metrics["bpd"] for report in (*first.epochs, *second.epochs)]
    assert pulled == [epoch.bpd for epoch in landscape.epochs(arm)]


@pytest.mark.slow
def test_tune_trains_the_landscape_of_its_peers(landscape, tmp_path):
    recorder = Recorder(60.0)
    ours.tune(landscape, recorder, tmp_path, epochs=5, live=2)
    assert len(recorder.steps) == 5
    for name, arm in recorder.arms.items():
        seen = [s.bpd for s in recorder.steps if s.trial == name]
        alone = [e.bpd for e, _ in zip(landscape.epochs(arm), seen, strict=False)]
        assert seen == alone
        assert arm.settings.batch_size in (32, 64, 128)


def test_optuna_trains_the_landscape_of_its_peers(landscape):
    recorder = Recorder(60.0)
    optuna_peers.optimize(
        landscape, recorder, sampler="RandomSampler", pruner="NopPruner", trials=1
    )
    (arm,) = recorder.arms.values()
    assert [s.bpd for s in recorder.steps] == [e.bpd for e in landscape.epochs(arm)]
    bpd, test = landscape.again(arm, recorder.best.epoch)
    assert bpd == recorder.best.bpd
    assert 0 < test < 8


def test_same_settings_under_another_number_are_another_draw(landscape):
    curves = [
        [e.bpd for e in landscape.epochs(landscape.arm(number, {"learning_rate": 1e-3}))]
        for number in (0, 1)
    ]
    assert curves[0] != curves[1]


def test_what_is_known_after_the_deadline_does_not_count():
    recorder, arm = recorded(10.0), Arm("trial-000", TrialSettings("mlp"))
    recorder.add(arm, 1, 5.0, 1.0, at=recorder.began + 9.9)
    recorder.add(arm, 2, 4.0, 1.0, at=recorder.began + 10.1)
    assert [step.bpd for step in recorder.steps] == [5.0]
    assert recorder.steps[0].at == pytest.approx(9.9)


def test_an_epoch_stops_at_the_deadline(landscape):
    arm = landscape.arm(0, {})
    assert list(landscape.epochs(arm, deadline=0.0)) == []


def test_runs_are_kept_whole(tmp_path):
    recorder = recorded()
    arm = Arm("trial-000", TrialSettings("mlp"))
    recorder.add(arm, 1, 5.0, 0.5)
    run = Run("tune", 0, 60.0, 0.1, tuple(recorder.steps), 5.1, arm.settings, "code")
    save(run, tmp_path / "runs" / "tune-0.json")
    assert load(tmp_path / "runs" / "tune-0.json") == run
    assert run.trials == 1
    assert run.training == pytest.approx(0.5 / 60)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", [m.name for m in methods.METHODS])
def test_every_method_runs_and_hands_out_what_it_recorded(method, tmp_path):
    if not methods.BY_NAME[method].installed:
        pytest.skip(f"{method} needs {methods.BY_NAME[method].needs}")
    subprocess.run(
        [sys.executable, str(SCRIPT), "--one", method, "3", "--seconds", "5",
         "--runs", str(tmp_path)],
        check=True, capture_output=True,
    )  # fmt: skip
    (path,) = tmp_path.glob("*/*.json")
    run = load(path)
    assert run.method == method
    assert run.steps
    assert all(0 < step.at <= 5 for step in run.steps)
    assert run.training <= 1


def test_methods_say_what_they_are():
    assert {"tune", "optuna-median", "optuna-hyperband", "ray-asha", "random"} <= set(
        methods.BY_NAME
    )
    assert methods.BY_NAME["ray-asha"].own_process
    assert Path(PROBLEM.space).is_file()
