"""The methods by name, and one run of one of them from warm-up to test figure."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch

from tuning import optuna_peers, ours, ray_peer
from tuning.landscape import Landscape, Problem
from tuning.record import Recorder, Run, code_digest

Play = Callable[..., object]  # of landscape, recorder, folder
WARM_SECONDS, WARM_EPOCHS = 3.0, 12  # of the others; of ours


@dataclass(frozen=True)
class Method:
    """A way to search.

    Attributes:
        name: in the tables.
        about: what it is, in a line.
        play: searches until the recorder's seconds are over; may write to the folder.
        needs: module that has to be there.
        own_process: whether it trains in another process, which warms itself up.
        ours: whether it is a command of this package.
    """

    name: str
    about: str
    play: Play
    needs: str = "optuna"
    own_process: bool = False
    ours: bool = False

    @property
    def installed(self) -> bool:
        """Whether what it needs can be imported."""
        return find_spec(self.needs) is not None


def _tune(**options: object) -> Play:
    return partial(ours.tune, **options)


def _optuna(sampler: str, pruner: str) -> Play:
    def play(landscape: Landscape, recorder: Recorder, folder: Path) -> object:
        options = {"min_resource": 1, "max_resource": landscape.problem.cap, "reduction_factor": 3}
        more = options if pruner == "HyperbandPruner" else {}
        return optuna_peers.optimize(landscape, recorder, sampler=sampler, pruner=pruner, **more)

    return play


_ours = partial(Method, ours=True)
METHODS = (
    _ours("tune", "`vaesearch tune`", _tune()),
    _ours("tune-random", "`vaesearch tune --sampler random`", _tune(sampler="random")),
    _ours("tune-median", "`vaesearch tune --policy pruner:median`", _tune(policy="pruner:median")),
    Method("optuna-median", "`study.optimize`: TPE, MedianPruner (defaults)",
           _optuna("TPESampler", "MedianPruner")),
    Method("optuna-hyperband", "`study.optimize`: TPE, HyperbandPruner from 1 epoch to the cap",
           _optuna("TPESampler", "HyperbandPruner")),
    Method("ray-asha", "Ray Tune: OptunaSearch, ASHA up to the cap, actors used again",
           ray_peer.run_tuner, needs="ray.tune", own_process=True),
    Method("random", "random search, every trial up to the cap",
           _optuna("RandomSampler", "NopPruner")),
    Method("random-median", "random search, MedianPruner",
           _optuna("RandomSampler", "MedianPruner")),
)  # fmt: skip
BY_NAME = {method.name: method for method in METHODS}


def run(name: str, problem: Problem, seed: int, seconds: float, folder: Path) -> Run:
    """One run on the core that this process is on.

    Imports, data and first calls come before the clock; so does a short run of the same method
    with another seed. At the end the best epoch's model is trained anew, outside the clock: its
    validation figure must be the recorded one to the last digit, and the test figure is taken.

    Raises:
        RuntimeError: it is not; then the method did not train what the others do.
    """
    torch.set_num_threads(1)
    method = BY_NAME[name]
    folder.mkdir(parents=True, exist_ok=True)
    landscape, recorder = Landscape(problem, seed), Recorder(seconds)
    if not method.own_process:
        _warm_up(method, Landscape(problem, seed + 1000), folder)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        method.play(landscape, recorder, Path(scratch))
    best = recorder.best
    arm = recorder.arms[best.trial]
    bpd, test = landscape.again(arm, best.epoch)
    if bpd != best.bpd:
        raise RuntimeError(f"{name}, seed {seed}: {best} gives {bpd} when trained again")
    return Run(
        name, seed, seconds, recorder.startup, tuple(recorder.steps), test, arm.settings,
        code_digest(),
    )  # fmt: skip


def _warm_up(method: Method, landscape: Landscape, folder: Path) -> None:
    """An epoch and a short run that nobody hears of."""
    landscape.epoch(landscape.start(landscape.arm(0, {})))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if method.ours:
            method.play(landscape, Recorder(600.0), Path(scratch), epochs=WARM_EPOCHS)
        else:
            method.play(landscape, Recorder(WARM_SECONDS), Path(scratch))
