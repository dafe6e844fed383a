"""Ray Tune on the landscape: a real ``Tuner`` with OptunaSearch and ASHA on one CPU.

As its documentation advises for short trials: a class trainable that can be reset, actors that are
used again, data passed once per actor. Proposals are made one ahead, as Tune does by default; with
a limit of one at a time it would start an actor anew for each trial.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.landscape import Landscape, Problem
from tuning.record import Recorder
from vaesearch.space import Space

METRIC = "bpd"


@dataclass(frozen=True)
class Suggested:
    """The space as OptunaSearch wants it, and as it can store it; numbers the trials, too."""

    space: Space

    def __call__(self, trial: Any) -> dict[str, int]:
        """Suggests the values; returns what is constant in this trial."""
        from vaesearch.search.tuning.suggesting import ask

        ask(trial, self.space)
        return {"number": trial.number}


def run_tuner(landscape: Landscape, recorder: Recorder, folder: Path) -> None:
    """Start a Ray, search, and stop it again.

    The clock starts when the first trial's actor is ready to train; what came before is start-up.
    An epoch counts when the actor knows its figure.
    """
    called = time.monotonic()
    with _one_cpu():
        heard = _fit(landscape, recorder.seconds, folder)
    if not heard:
        raise RuntimeError("Ray Tune finished no epoch")
    recorder.begin(heard[0]["began"])
    recorder.startup = recorder.began - called
    for result in heard:
        if not result["over"]:
            values = {k: v for k, v in result["config"].items() if k != "number"}
            arm = landscape.arm(result["config"]["number"], values)
            recorder.add(arm, result["epoch"], result["now"], result["took"], result["at"])


def _fit(landscape: Landscape, seconds: float, folder: Path) -> list[dict[str, Any]]:
    import optuna
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    heard: list[dict[str, Any]] = []

    class Listener(tune.Callback):
        def on_trial_result(self, *, result: dict[str, Any], **_: Any) -> None:
            heard.append(result)

    class Clock(tune.Stopper):
        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
            return result["epoch"] >= landscape.problem.cap

        def stop_all(self) -> bool:
            return bool(heard and time.monotonic() > heard[0]["began"] + seconds)

    tune.Tuner(
        tune.with_resources(
            tune.with_parameters(
                _trainable(), problem=landscape.problem, seed=landscape.seed, seconds=seconds,
                origin=str(folder / "origin"),
            ),
            {"cpu": 1},
        ),
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="min",
            search_alg=OptunaSearch(
                Suggested(landscape.space), metric=METRIC, mode="min", seed=landscape.seed
            ),
            scheduler=ASHAScheduler(max_t=landscape.problem.cap),
            num_samples=-1,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=str(folder), verbose=0, stop=Clock(), callbacks=[Listener()]
        ),
    ).fit()  # fmt: skip
    return heard


def _trainable() -> type:
    from ray import tune

    class Trained(tune.Trainable):
        """One epoch per step; the metric is the best of the trial so far."""

        def setup(
            self, config: dict[str, Any], problem: Problem, seed: int, seconds: float, origin: str
        ) -> None:
            import torch

            torch.set_num_threads(1)
            self._landscape = Landscape(problem, seed)
            _warm(self._landscape)
            self._take(config)
            self._began = _origin(Path(origin))
            self._deadline = self._began + seconds

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self._take(new_config)
            return True

        def _take(self, config: dict[str, Any]) -> None:
            values = {k: v for k, v in config.items() if k != "number"}
            arm = self._landscape.arm(config["number"], values)
            self._state = self._landscape.start(arm)
            self._best = float("inf")

        def step(self) -> dict[str, Any]:
            from vaesearch.errors import DivergedError

            try:
                epoch = self._landscape.epoch(self._state, self._deadline)
            except DivergedError:
                epoch = None
            known = {"began": self._began, "at": time.monotonic(), "epoch": self._state.epoch}
            if epoch is None:
                return known | {METRIC: self._best, "over": True, "done": True}
            self._best = min(self._best, epoch.bpd)
            now = {"now": epoch.bpd, "took": epoch.seconds, "over": False}
            return known | now | {METRIC: self._best}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """Nothing is ever resumed here."""

        def load_checkpoint(self, checkpoint: Any) -> None:
            """As above."""

    return Trained


def _warm(landscape: Landscape) -> None:
    """One epoch that nobody hears of, as all methods have before their clock starts."""
    landscape.epoch(landscape.start(landscape.arm(0, {})))


def _origin(path: Path) -> float:
    """When the first actor was ready; one that replaces it goes by the same clock."""
    if not path.exists():
        path.write_text(repr(time.monotonic()))
    return float(path.read_text())


@contextmanager
def _one_cpu() -> Iterator[None]:
    """A Ray with one CPU of our own, which is stopped again."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    # Where the actor finds this package.
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    import ray

    ray.init(
        address="local", num_cpus=1, include_dashboard=False, logging_level=logging.ERROR,
        log_to_driver=False,
    )  # fmt: skip
    try:
        yield
    finally:
        ray.shutdown()
