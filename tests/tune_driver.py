"""A Tune experiment in a process of its own, to be killed and restored: KIND FOLDER [EPOCHS].

Every epoch that is trained to its end leaves a line in ``FOLDER/trained``. It begins the
experiment, or restores it where there is one.
"""

import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import ray
from ray import tune

from vaesearch.integrations.ray_tune import BanditScheduler

RATES = [0.01, 0.03, 0.1]


def trainables(seconds=0.0):
    """A class and a function that do the same; local, so that Ray sends them by value."""

    def note(config, epoch):
        time.sleep(seconds)
        with open(config["trained"], "a") as file:
            file.write(f"{config['rate']} {epoch}\n")

    class Descent(tune.Trainable):
        def setup(self, config):
            self.state = {"x": 5.0, "epoch": 0}

        def step(self):
            if self.config.get("fails_at") == self.state["epoch"] + 1:
                raise RuntimeError("broken on purpose")
            rate = self.config["rate"]
            self.state = {"x": self.state["x"] * (1 - 2 * rate), "epoch": self.state["epoch"] + 1}
            note(self.config, self.state["epoch"])
            return {"loss": self.state["x"] ** 2}

        def save_checkpoint(self, folder):
            return self.state

        def load_checkpoint(self, state):
            self.state = state

        def reset_config(self, config):
            self.setup(config)
            return True

    def descent(config):
        state = {"x": 5.0, "epoch": 0}
        if checkpoint := tune.get_checkpoint():
            with checkpoint.as_directory() as folder:
                state = json.loads(Path(folder, "state.json").read_text())
        while True:
            state = {"x": state["x"] * (1 - 2 * config["rate"]), "epoch": state["epoch"] + 1}
            note(config, state["epoch"])
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "state.json").write_text(json.dumps(state))
                saved = None if config.get("forgets") else tune.Checkpoint.from_directory(folder)
                tune.report({"loss": state["x"] ** 2, "epoch": state["epoch"]}, checkpoint=saved)

    return {"class": Descent, "function": descent}


def tuner(kind, folder, scheduler, *, rates=RATES, seconds=0.0, failures=0, metric="loss", **more):
    """A tuner in ``folder/experiment``."""
    return tune.Tuner(
        trainables(seconds)[kind],
        param_space={"rate": tune.grid_search(rates), "trained": str(folder / "trained"), **more},
        tune_config=tune.TuneConfig(
            metric=metric, mode=metric and "min", scheduler=scheduler, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="experiment", storage_path=str(folder), verbose=0,
            failure_config=tune.FailureConfig(max_failures=failures),
        ),
    )  # fmt: skip


def trained(folder):
    """The (rate, epoch) pairs that were trained to their end, in order."""
    lines = (folder / "trained").read_text().splitlines() if (folder / "trained").exists() else []
    return [(float(rate), int(epoch)) for rate, epoch in map(str.split, lines)]


def start_ray():
    """A small Ray of our own, silent."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
        logging_level=logging.ERROR,
    )  # fmt: skip


def main(kind, folder, epochs="12"):
    """Begin or go on."""
    folder = Path(folder)
    start_ray()
    try:
        if tune.Tuner.can_restore(str(folder / "experiment")):
            again = trainables(0.2)[kind]
            tune.Tuner.restore(str(folder / "experiment"), trainable=again).fit()
        else:
            scheduler = BanditScheduler("uniform", epochs=int(epochs), workers=2)
            tuner(kind, folder, scheduler, seconds=0.2).fit()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
