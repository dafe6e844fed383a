"""Real training on one or two workers: the same pulls by us, by bare Ray actors and by Ray Tune.

All train the same arms for the same number of epochs with the same code. The clock runs from when
the workers are up and warm until the last result is there. Ray Tune's runs from its first result
from every worker on.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.data.core import fingerprint
from vaesearch.evaluation import validate
from vaesearch.events import ArmAdded
from vaesearch.pull import Workbench
from vaesearch.records import Arm, PullReport, PullRequest, TrialSettings
from vaesearch.search.backends.making import make_backend
from vaesearch.search.controller import Controller
from vaesearch.search.ledger import Ledger
from vaesearch.search.state import fold
from vaesearch.training import new_state, train_epoch

SEED = 0
ARMS = tuple(
    Arm(f"arm-{n}", TrialSettings("mlp", "mlp", latent_dim=8 + n, width=0.5)) for n in range(4)
)


@dataclass(frozen=True)
class Pace:
    """Epochs per second, and the share of the workers' time that went into epochs."""

    epochs: float
    busy: float


def images(train: int = 2000, valid: int = 200, side: int = 28) -> ImageData:
    """Random ones: what counts is the work."""
    levels = np.random.default_rng(SEED).integers(0, 256, (train + valid, 1, side, side), np.uint8)
    rest = levels[train:]
    return ImageData("random", levels[:train], rest, rest, "8bit", fingerprint(levels))


def ours(workers: int, epochs: int, folder: Path, kind: str = "ray") -> Pace:
    """A search with the uniform policy, with all that one writes."""
    config = Config(backend=kind, workers=workers, seed=SEED)
    store = CheckpointStore(folder / "checkpoints")
    with closing(make_backend(config, images(), store, arms=len(ARMS))) as backend:
        while len(backend.idle()) < workers:
            backend.wait(0.5)
        _search(backend, store, folder / "warm.jsonl", len(ARMS), workers)
        return _search(backend, store, folder / "ledger.jsonl", epochs, workers)


def _search(backend: Any, store: CheckpointStore, path: Path, epochs: int, workers: int) -> Pace:
    log = Ledger(path)
    budget = Budget(epochs=epochs, workers=workers)
    policy = catalogue.build("policies", "uniform")
    controller = Controller(log, fold([], budget), policy, backend, seed=SEED, prune=store.prune)
    for arm in ARMS:
        controller.record(ArmAdded(arm.name, asdict(arm.settings), 1), sync=False)
    began = time.perf_counter()
    controller.run()
    wall = time.perf_counter() - began
    log.close()
    worked = sum(sum(arm.seconds) for arm in controller.state.history.arms)
    return Pace(epochs / wall, worked / wall / workers)


class Bare:
    """An actor that carries pulls out, and nothing else."""

    def __init__(self, data: ImageData, folder: Path) -> None:
        self._bench = Workbench(data, CheckpointStore(folder), seed=SEED, reward="bpd")

    def pull(self, request: PullRequest) -> PullReport:
        """Do one."""
        return self._bench.pull(request)


def bare(workers: int, epochs: int, folder: Path) -> Pace:
    """The same pulls, arms in turn, whoever is free: no decision, no ledger."""
    data = ray.put(images())
    actors = [ray.remote(num_cpus=1)(Bare).remote(data, folder) for _ in range(workers)]
    try:
        _in_turn(actors, len(ARMS))
        return _in_turn(actors, epochs)
    finally:
        for actor in actors:
            ray.kill(actor)


def _in_turn(actors: list[Any], epochs: int) -> Pace:
    waiting = [PullRequest(0, arm, 0, 1) for arm in ARMS]
    began, sent, worked = time.perf_counter(), 0, 0.0
    flying: dict[Any, tuple[Any, PullRequest]] = {}
    free = list(actors)
    while flying or sent < epochs:
        while free and waiting and sent < epochs:
            actor, request = free.pop(), waiting.pop(0)
            flying[actor.pull.remote(request)] = actor, request
            sent += 1
        (ready,), _ = ray.wait(list(flying), num_returns=1)
        (actor, request), report = flying.pop(ready), ray.get(ready)
        worked += sum(epoch.seconds for epoch in report.epochs)
        free.append(actor)
        after = request.from_epoch + 1
        waiting.append(PullRequest(sent, request.arm, after, 1, report.checkpoints[after]))
    wall = time.perf_counter() - began
    return Pace(epochs / wall, worked / wall / len(actors))


def tune(workers: int, epochs: int, folder: Path) -> Pace:
    """As many trials side by side, each trained to its end, a checkpoint after each epoch."""
    from ray import tune as ray_tune

    arrivals = _Arrivals()
    trainable = ray_tune.with_resources(
        ray_tune.with_parameters(_trainable(), data=images()), {"cpu": 1}
    )
    tuner = ray_tune.Tuner(
        trainable,
        param_space={"arm": ray_tune.grid_search(list(range(len(ARMS))))},
        tune_config=ray_tune.TuneConfig(reuse_actors=True, max_concurrent_trials=workers),
        run_config=ray_tune.RunConfig(
            storage_path=str(folder.absolute()), name="tune", verbose=0,
            stop={"training_iteration": epochs // len(ARMS)}, callbacks=[arrivals.callback()],
            checkpoint_config=ray_tune.CheckpointConfig(checkpoint_frequency=1),
        ),
    )  # fmt: skip
    with redirect_stdout(StringIO()):
        tuner.fit()
    return arrivals.pace(workers)


class _Arrivals:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.work: list[float] = []

    def callback(self) -> Any:
        from ray import tune as ray_tune

        times, work = self.times, self.work

        class Note(ray_tune.Callback):
            def on_trial_result(
                self, iteration: int, trials: Any, trial: Any, result: dict, **info: Any
            ) -> None:
                times.append(time.perf_counter())
                work.append(result["work"])

        return Note()

    def pace(self, workers: int) -> Pace:
        """Behind the first result of every worker."""
        wall = self.times[-1] - self.times[workers - 1]
        counted = self.work[workers:]
        return Pace(len(counted) / wall, sum(counted) / wall / workers)


def _trainable() -> type:
    from ray import tune as ray_tune

    class Arms(ray_tune.Trainable):
        """An arm, by the training code of the package."""

        def setup(self, config: dict, data: ImageData) -> None:
            torch.set_num_threads(1)
            self.data = data
            self.train_images, self.valid_images = map(torch.tensor, (data.train, data.valid))
            self.reset_config(config)

        def reset_config(self, new_config: dict) -> bool:
            arm = ARMS[new_config["arm"]]
            self.state = new_state(arm, self.data.shape, SEED, torch.device("cpu"))
            return True

        def step(self) -> dict:
            started = time.perf_counter()
            train_epoch(self.state, self.train_images, SEED)
            validate(self.state.model, self.valid_images, has_mass=True)
            return {"work": time.perf_counter() - started}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            torch.save(self.state.to_dict(), Path(checkpoint_dir) / "state.pt")

        def load_checkpoint(self, checkpoint: str) -> None:
            self.state.load(torch.load(Path(checkpoint) / "state.pt", weights_only=True))

    return Arms


Way = Callable[[int, Path], Pace]


def ways(epochs: int, tuned: bool) -> dict[str, tuple[tuple[int, ...], Way]]:
    """Name of each way, the numbers of workers to try it with, and what runs it."""
    made: dict[str, tuple[tuple[int, ...], Way]] = {
        "vaesearch, `--backend local`": ((1,), lambda n, place: ours(n, epochs, place, "local")),
        "vaesearch, `--backend ray`": ((1, 2), lambda n, place: ours(n, epochs, place)),
        "the same pulls by bare Ray actors": ((1, 2), lambda n, place: bare(n, epochs, place)),
    }
    if tuned:
        made["Ray Tune"] = ((1, 2), lambda n, place: tune(n, epochs, place))
    return made


def measure(
    epochs: int, repeats: int, folder: Path, tuned: bool
) -> dict[tuple[str, int], list[Pace]]:
    """Every way in turn, ``repeats`` times over."""
    found: dict[tuple[str, int], list[Pace]] = {}
    for _ in range(repeats):
        for name, (counts, way) in ways(epochs, tuned).items():
            for workers in counts:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    pace = way(workers, Path(place).absolute())
                found.setdefault((name, workers), []).append(pace)
    return found
