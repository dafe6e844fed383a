"""Whether a real ``tune.Tuner`` decides as our drive of Ray Tune's schedulers does.

The trainable plays a recorded curve back, one epoch per step, on a Ray with one CPU. Compared is
which epoch of which arm came after which.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common import hardware, table
from instances import Instance, Pool, draw

from peers.drive import drive
from peers.ray_tune import METRIC, RayTune, asha_scheduler, hyperband_scheduler

SIZES = (5, 10)
INSTANCES = 2
SCHEDULERS: Mapping[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "ray-asha": (asha_scheduler, {}),
    "ray-asha-2": (asha_scheduler, {"reduction_factor": 2}),
    "ray-hyperband": (hyperband_scheduler, {}),
}
Epochs = list[tuple[int, int]]


def check(pools: Mapping[str, Pool]) -> str:
    """A table with a row per scheduler and instance."""
    pool = next(iter(pools.values()))
    drawn = [draw(pool, size, number) for size in SIZES for number in range(INSTANCES)]
    instances = [instance for instance in drawn if instance is not None]
    rows = []
    with _one_cpu():
        for name, (make, options) in SCHEDULERS.items():
            for instance in instances:
                ours = drive(
                    RayTune(make(instance.cap, **options), instance.size),
                    instance,
                    instance.epochs(1.0),
                )
                began = time.perf_counter()
                theirs = _tuner(make(instance.cap, **options), instance)
                took = time.perf_counter() - began
                order = [(step.arm, step.epoch) for step in ours]
                rows.append([*_row(name, instance, order, theirs), f"{took:.0f}"])
    head = ["scheduler", "K", "instance", "epochs, driven", "epochs, Tuner"]
    head += ["epochs per arm", "order of epochs", "seconds of the Tuner"]
    title = f"# A real Tuner beside our drive of its schedulers\n\n{pool.dataset}; "
    return f"{title}{hardware('ray')}\n\n{table(head, rows)}"


def _row(name: str, instance: Instance, ours: Epochs, theirs: Epochs) -> list[str]:
    def verdict(same: bool) -> str:
        return "same" if same else "DIFFERENT"

    return [
        name, str(instance.size), str(instance.number), str(len(ours)), str(len(theirs)),
        verdict(sorted(ours) == sorted(theirs)), verdict(ours == theirs),
    ]  # fmt: skip


def _tuner(scheduler: Any, instance: Instance) -> Epochs:
    """The (arm, epoch) pairs of a real Tuner, in the order in which it heard of them."""
    from ray import tune

    class Replayed(tune.Trainable):
        """Plays one arm back; ``rewards`` has a row per arm."""

        def setup(self, config: dict[str, Any], rewards: Any = None) -> None:
            self._rewards = rewards[config["arm"]]

        def step(self) -> dict[str, float]:
            return {METRIC: float(self._rewards[self.iteration])}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            # Tune restores the number of the epoch by itself.
            (Path(checkpoint_dir) / "epoch").write_text(str(self.iteration))

        def load_checkpoint(self, checkpoint: Any) -> None:
            pass

    heard: Epochs = []

    class Listener(tune.Callback):
        def on_trial_result(self, *, trial: Any, result: dict[str, Any], **_: Any) -> None:
            heard.append((trial.config["arm"], result["training_iteration"]))

    with tempfile.TemporaryDirectory() as folder:
        tune.Tuner(
            tune.with_parameters(Replayed, rewards=instance.valid),
            param_space={"arm": tune.grid_search(list(range(instance.size)))},
            tune_config=tune.TuneConfig(scheduler=scheduler),
            run_config=tune.RunConfig(
                storage_path=folder,
                verbose=0,
                stop={"training_iteration": instance.cap},
                callbacks=[Listener()],
            ),
        ).fit()
    return heard


@contextmanager
def _one_cpu() -> Iterator[None]:
    """A Ray with one CPU of our own, which is stopped again."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    import ray

    ray.init(
        address="local", num_cpus=1, include_dashboard=False, logging_level=logging.ERROR,
        log_to_driver=False,
    )  # fmt: skip
    try:
        yield
    finally:
        ray.shutdown()
