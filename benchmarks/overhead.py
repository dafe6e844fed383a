"""What it costs to control a search: per pull, and per switch of arm beside Ray Tune.

    python benchmarks/overhead.py --out benchmarks/results/overhead.md

Everything runs on one Ray that this script starts and stops, with one worker, so that wall-clock
time is either the worker's work or overhead.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import ray
import torch
from common import hardware, publish, ratios, spread, table

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.data.core import fingerprint
from vaesearch.evaluation import validate
from vaesearch.events import ArmAdded, Event, PullFinished
from vaesearch.models.vae import count_parameters
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.backends.ray.backend import RayBackend
from vaesearch.search.backends.ray.worker import Worker
from vaesearch.search.controller import Controller
from vaesearch.search.ledger import Ledger
from vaesearch.search.state import SearchState, fold
from vaesearch.training import TrialState, new_state, train_epoch

SEED = 0
CACHE_BYTES = 2**30
TINY = TrialSettings("mlp", "mlp", latent_dim=2, width=0.05, likelihood="gaussian:1")
# About 20 MB of weights and Adam's two moments at 32x32.
LARGE = TrialSettings("mlp-wide", "mlp", latent_dim=32, width=0.86, likelihood="gaussian:1")
TUNE_MISSING = "Ray Tune is not installed: pip install 'ray[tune]'"


# --- A search on one Ray worker that knows how long it was busy ----------------------------------


class TimedWorker(Worker):
    """The worker of the package, with a clock around its jobs and a cache of a given size."""

    cache_bytes = CACHE_BYTES
    _busy = 0.0

    def prepare(self) -> None:
        """Bring the images into place."""
        super().prepare()
        self._bench._cache_bytes = self.cache_bytes

    def carry_out(self, job: Any) -> Any:
        """Do a job."""
        started = time.perf_counter()
        try:
            return super().carry_out(job)
        finally:
            self._busy += time.perf_counter() - started

    def busy(self) -> float:
        """Seconds inside jobs so far."""
        return self._busy

    def spin(self, seconds: float) -> float:
        """Work for so long, as any actor might; returns how long it was."""
        started = time.perf_counter()
        while time.perf_counter() < started + seconds:
            pass
        return time.perf_counter() - started


class TimedBackend(RayBackend):
    """The backend of the package over :class:`TimedWorker`."""

    def __init__(self, *arguments: Any, cache_bytes: int = CACHE_BYTES, **options: Any) -> None:
        # Of a class of its own, since Ray makes the actor on another process from its class alone.
        self.actor = type("TimedWorker", (TimedWorker,), {"cache_bytes": cache_bytes})
        super().__init__(*arguments, **options, workers=1)

    @property
    def one(self) -> Any:
        """The one worker."""
        return next(iter(self.pool)).actor

    def busy(self) -> float:
        """Seconds that the worker has spent inside jobs."""
        return float(ray.get(self.one.busy.remote()))


@contextmanager
def one_worker(
    data: ImageData, folder: Path, *, arms: int, cache_bytes: int = CACHE_BYTES
) -> Iterator[TimedBackend]:
    backend = TimedBackend(
        data, folder, seed=SEED, reward="elbo", most_workers=arms, cache_bytes=cache_bytes
    )
    try:
        yield backend
    finally:
        backend.close()


@dataclass
class Watch:
    """Seconds spent in each wrapped function, by part."""

    parts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def around(self, part: str, function: Callable) -> Callable:
        """The function, timed as ``part``."""

        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.parts[part].append(time.perf_counter() - started)

        return timed

    def total(self, part: str) -> float:
        """Seconds in all."""
        return sum(self.parts[part])


def search(
    backend: TimedBackend,
    store: CheckpointStore,
    arms: list[Arm],
    *,
    policy: str,
    pulls: int,
    watch: Watch,
    observers: tuple = (),
) -> float:
    """Run a search of ``pulls`` pulls into a new ledger; returns its wall-clock seconds."""
    path = store.folder.parent / f"{policy}-{time.time_ns()}.jsonl"
    ledger = Ledger(path)
    chooser = catalogue.build("policies", policy)
    log = SimpleNamespace(append=watch.around("ledger", ledger.append))
    controller = Controller(
        log,
        fold([], Budget(epochs=pulls)),
        SimpleNamespace(choose=watch.around("policy", chooser.choose)),
        _watched(backend, watch),
        seed=SEED,
        observers=observers,
        prune=watch.around("prune", store.prune),
    )
    for arm in arms:
        controller.record(ArmAdded(arm.name, vars(arm.settings), 0))
    watch.parts.clear()
    started = time.perf_counter()
    controller.run()
    taken = time.perf_counter() - started
    ledger.close()
    return taken


def _watched(backend: TimedBackend, watch: Watch) -> Any:
    return SimpleNamespace(
        idle=backend.idle,
        now=backend.now,
        submit=watch.around("ray", backend.submit),
        wait=watch.around("ray", backend.wait),
    )


def random_images(train: int, valid: int, side: int) -> ImageData:
    levels = np.random.default_rng(SEED).integers(0, 256, (train + valid, 1, side, side), np.uint8)
    rest = levels[train:]
    return ImageData("random", levels[:train], rest, rest, "8bit", fingerprint(levels))


def make_arms(settings: TrialSettings, count: int) -> list[Arm]:
    return [Arm(f"arm-{i + 1}", settings) for i in range(count)]


# --- Control per pull ----------------------------------------------------------------------------


def control_per_pull(folder: Path, options: argparse.Namespace) -> str:
    """Pulls of almost no work; what is not inside the worker's own pull is control."""
    store = CheckpointStore(folder / "checkpoints")
    arms = make_arms(TINY, options.arms)
    floors: dict[str, list[float]] = defaultdict(list)
    parts = {policy: defaultdict(list) for policy in options.policies}
    with one_worker(random_images(128, 32, 8), store.folder, arms=len(arms)) as backend:
        search(backend, store, arms, policy="uniform", pulls=2 * len(arms), watch=Watch())
        for _ in range(options.repeats):
            for policy in options.policies:
                for part, value in _parts(backend, store, arms, policy, options.pulls).items():
                    parts[policy][part].append(value)
            floors["Ray: a call of an actor that is busy for 5 ms, less these"].append(
                _call(backend)
            )
            floors["Disk: appending 300 bytes, and fsync"].append(_append(folder))
    rows = [[p, *map(spread, parts[p].values())] for p in options.policies]
    head = ["Policy", *PARTS]
    floor_rows = [[name, spread(values)] for name, values in floors.items()]
    return (
        f"## Control per pull, in ms ({options.arms} arms, {options.pulls} pulls)\n\n"
        f"{table(head, rows)}\n\n{table(['Floor, in the same run', 'ms'], floor_rows)}"
    )


PARTS = (
    "Policy",
    "Ledger (3 lines, 2 fsyncs)",
    "Ray round trip",
    "Pruning",
    "The rest",
    "Total control",
)


def _parts(
    backend: TimedBackend, store: CheckpointStore, arms: list[Arm], policy: str, pulls: int
) -> dict[str, float]:
    """Milliseconds per pull by part."""
    watch = Watch()
    before = backend.busy()
    wall = search(backend, store, arms, policy=policy, pulls=pulls, watch=watch)
    busy = backend.busy() - before
    known = [
        watch.total("policy"),
        watch.total("ledger"),
        watch.total("ray") - busy,
        watch.total("prune"),
    ]
    total = wall - busy
    seconds = [*known, total - sum(known), total]
    return {name: 1000 * value / pulls for name, value in zip(PARTS, seconds, strict=True)}


def _call(backend: TimedBackend, calls: int = 50) -> float:
    started = time.perf_counter()
    busy = sum(ray.get(backend.one.spin.remote(0.005)) for _ in range(calls))
    return 1000 * (time.perf_counter() - started - busy) / calls


def _append(folder: Path, times: int = 100) -> float:
    with (folder / "floor").open("ab", buffering=0) as file:
        started = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 300)
            os.fsync(file.fileno())
        return 1000 * (time.perf_counter() - started) / times


# --- Switching arms ------------------------------------------------------------------------------


@dataclass
class Gaps:
    """From one pull's result to the next one's, less the work between: what a switch costs.

    The first ``skip`` results are of arms that start from scratch.
    """

    skip: int
    seconds: list[float] = field(default_factory=list)
    _last: float = 0.0
    _seen: int = 0

    def arrived(self, work: float) -> int:
        """Note a result and the seconds of work in it; returns how many there were."""
        now = time.perf_counter()
        self._seen += 1
        if self._seen > self.skip:
            self.seconds.append(now - self._last - work)
        self._last = now
        return self._seen

    @property
    def mean(self) -> float:
        """(wall - work) / switches."""
        return statistics.fmean(self.seconds)


def switch_costs(folder: Path, options: argparse.Namespace) -> str:
    data = random_images(options.images, 64, 32)
    ours, tunes = _ours(data, options), _tunes(data, options)
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.repeats):
        for name, way in (ours | tunes).items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                seconds[name].append(way(Path(place)))
    first = seconds[next(iter(ours))]
    rows = [
        [name, spread(values, 3), spread(ratios(values, first), 1)]
        for name, values in seconds.items()
    ]
    if not tunes:
        rows.append([TUNE_MISSING, "-", "-"])
    megabytes = _state_bytes(data.shape) / 1e6
    return (
        f"## Seconds per switch of arm ({megabytes:.1f} MB of weights and Adam's moments, "
        f"{options.switching_arms} arms in turn, {options.switches} switches)\n\n"
        f"{table(['Way', 'Seconds per switch', 'Over ours'], rows)}"
    )


def _state_bytes(shape: tuple[int, int, int]) -> int:
    return 3 * 4 * count_parameters(LARGE, shape)


def _ours(data: ImageData, options: argparse.Namespace) -> dict[str, Callable[[Path], float]]:
    def way(cache_bytes: int) -> Callable[[Path], float]:
        return lambda folder: our_switches(data, folder, options, cache_bytes)

    return {
        "vaesearch, every arm read back from its checkpoint": way(0),
        "vaesearch, arms within the worker's cache": way(CACHE_BYTES),
    }


def our_switches(
    data: ImageData, folder: Path, options: argparse.Namespace, cache_bytes: int
) -> float:
    """A real search with the uniform policy, which takes the arms in turn."""
    store = CheckpointStore(folder / "checkpoints")
    arms = make_arms(LARGE, options.switching_arms)
    gaps = Gaps(skip=len(arms))

    def watch_results(event: Event, state: SearchState) -> None:
        if isinstance(event, PullFinished):
            gaps.arrived(sum(r["seconds"] for r in event.reports))

    with one_worker(data, store.folder, arms=len(arms), cache_bytes=cache_bytes) as backend:
        search(
            backend,
            store,
            arms,
            policy="uniform",
            pulls=len(arms) + options.switches,
            watch=Watch(),
            observers=(watch_results,),
        )
    return gaps.mean


# --- Ray Tune doing the same ---------------------------------------------------------------------


def _tunes(data: ImageData, options: argparse.Namespace) -> dict[str, Callable[[Path], float]]:
    try:
        import ray.tune  # noqa: F401
    except ImportError:
        return {}

    def way(reuse: bool, early: bool) -> Callable[[Path], float]:
        return lambda folder: tune_switches(data, folder, options, reuse, early)

    return {
        "Ray Tune, PAUSE and resume": way(reuse=False, early=False),
        "Ray Tune, reuse_actors": way(reuse=True, early=False),
        "Ray Tune, reuse_actors, next trial named before the pause": way(reuse=True, early=True),
    }


def tune_switches(
    data: ImageData, folder: Path, options: argparse.Namespace, reuse: bool, early: bool
) -> float:
    """The same arms in turn, as trials of a scheduler that pauses each after every result."""
    from ray import tune

    arms = make_arms(LARGE, options.switching_arms)
    gaps = Gaps(skip=len(arms))
    scheduler = _round_robin(gaps, len(arms), len(arms) + options.switches, early)
    trainable = tune.with_resources(tune.with_parameters(_trainable(), data=data), {"cpu": 1})
    tuner = tune.Tuner(
        trainable,
        param_space={"arm": tune.grid_search([arm.name for arm in arms])},
        tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=reuse),
        run_config=tune.RunConfig(storage_path=str(folder.absolute()), name="tune", verbose=0),
    )
    with redirect_stdout(StringIO()):
        tuner.fit()
    return gaps.mean


def _trainable() -> type:
    from ray import tune

    class Arms(tune.Trainable):
        """An arm as a class trainable with the training code of vaesearch."""

        def setup(self, config: dict, data: ImageData) -> None:
            self.data = data
            self.train_images = torch.tensor(data.train)
            self.valid_images = torch.tensor(data.valid)
            self.reset_config(config)

        def reset_config(self, new_config: dict) -> bool:
            arm = Arm(new_config["arm"], LARGE)
            self.state: TrialState = new_state(arm, self.data.shape, SEED, torch.device("cpu"))
            return True

        def step(self) -> dict:
            started = time.perf_counter()
            loss = train_epoch(self.state, self.train_images, SEED)
            validate(self.state.model, self.valid_images, has_mass=True)
            return {"loss": loss, "work": time.perf_counter() - started}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            torch.save(self.state.to_dict(), Path(checkpoint_dir) / "state.pt")

        def load_checkpoint(self, checkpoint: str) -> None:
            self.state.load(torch.load(Path(checkpoint) / "state.pt", weights_only=True))

    return Arms


def _round_robin(gaps: Gaps, arms: int, results: int, early: bool) -> Any:
    """A scheduler that pauses every trial after every result and resumes the next one.

    A trial that is named before the pause is complete lets Tune keep the actor for it.
    """
    from ray.tune.experiment import Trial
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler

    class RoundRobin(FIFOScheduler):
        def __init__(self) -> None:
            super().__init__()
            self.turn: list[Trial] = []

        def __deepcopy__(self, memo: dict) -> "RoundRobin":
            return self

        def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
            self.turn.append(trial)

        def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict) -> str:
            done = gaps.arrived(result["work"])
            if done < results:
                self.turn = [t for t in self.turn if t is not trial] + [trial]
                return TrialScheduler.PAUSE
            for other in self.turn:
                if other is not trial:
                    tune_controller.stop_trial(other)
            self.turn = []
            return TrialScheduler.STOP

        def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
            if not self.turn:
                return None
            following = self.turn[0]
            if following.status == Trial.PENDING:
                return following
            running = any(t.status == Trial.RUNNING for t in self.turn)
            free = early or not running
            return following if free and following.status == Trial.PAUSED else None

    return RoundRobin()


# --- Putting it together -------------------------------------------------------------------------


@contextmanager
def own_ray() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield
    finally:
        ray.shutdown()


SECTIONS = {"pulls": control_per_pull, "switches": switch_costs}


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(1)
    texts = [
        "# Overhead of control",
        f"{hardware('torch', 'ray')}. One Ray worker; {options.repeats} repeats, "
        "median (min-max); ratios are of one repeat.",
    ]
    with own_ray(), tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name in options.sections:
            place = Path(folder) / name
            place.mkdir()
            texts.append(SECTIONS[name](place, options))
    publish("\n\n".join(texts), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--policies", nargs="+", default=["uniform", "thompson"])
    parser.add_argument("--arms", type=int, default=5, help="where control is measured")
    parser.add_argument("--pulls", type=int, default=60, help="per policy and repeat")
    parser.add_argument("--switching-arms", type=int, default=4)
    parser.add_argument("--switches", type=int, default=8, help="per way and repeat")
    parser.add_argument("--images", type=int, default=256, help="per pull where arms switch")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
