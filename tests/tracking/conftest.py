"""A search that exists only as a ledger, and a ready-made MLflow database to send it to."""

import os
import shutil
import subprocess
import sys
import time

import pytest

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_LOGGING_LEVEL"] = "ERROR"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"

from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
)
from vaesearch.records import TrialSettings
from vaesearch.search.ledger import Ledger
from vaesearch.search.run_dir import RunDir

CONFIG = {
    "dataset": "digits",
    "image_size": 32,
    "policy": "thompson",
    "seed": 7,
    "epochs": 12,
    "seconds": None,
    "tracking_uri": "http://user:secret@host",
}


class FakeSearch:
    """Writes the ledger and the artifacts that a search would; its clock ticks at each event."""

    def __init__(self, path, search_id="id-1"):
        self.run_dir = RunDir(path)
        self.run_dir.create()
        self.search_id = search_id
        self._now = 1_700_000_000.0
        self.ledger = Ledger(self.run_dir.ledger, clock=self._tick)
        self._epochs = {}
        self._pulls = 0

    def _tick(self):
        self._now += 0.125
        return self._now

    def add(self, event):
        return self.ledger.append(event)

    def start(self, *arms):
        data = {"train": 100, "fingerprint": "abc"}
        self.add(SearchStarted(self.search_id, "0.1.0", CONFIG, data))
        for number, arm in enumerate(arms):
            settings = vars(TrialSettings(decoder=arm))
            self.add(ArmAdded(arm, settings, 1000 * (number + 1)))
        return self

    def pull(self, arm, *rewards):
        first = self._epochs.get(arm, 0)
        self.add(DecisionMade(arm, len(rewards), "because", []))
        self.add(PullStarted(self._pulls, arm, first, len(rewards), "w0"))
        reports = [
            {
                "epoch": first + 1 + i,
                "reward": reward,
                "seconds": 0.5,
                "metrics": {"bpd": -reward, "train_loss": 9.0},
            }
            for i, reward in enumerate(rewards)
        ]
        self.add(PullFinished(self._pulls, arm, reports, {}, "w0"))
        self._pulls += 1
        self._epochs[arm] = first + len(rewards)
        return self

    def fail(self, arm, cause="loss is NaN"):
        self.add(ArmFailed(arm, cause))
        return self

    def cut(self, arm, reason="behind"):
        self.add(ArmCut(arm, reason))
        return self

    def resume(self, **changes):
        self.add(SearchResumed("0.1.0", changes))
        return self

    def finish(self, best):
        self.add(ArmAppraised(best, 2, {"bpd": 4.5}))
        self.add(SearchFinished("budget spent", best))
        return self

    def draw(self, *arms):
        for folder in (self.run_dir.plots, *(self.run_dir.arms / a for a in arms)):
            folder.mkdir(parents=True)
            (folder / "picture.png").write_bytes(b"png")
        self.run_dir.results.write_text("{}")
        self.run_dir.config.write_text("seed: 7\n")
        return self

    def example(self):
        """Two arms that run, one that is cut, one that fails, and an end."""
        self.start("mlp", "deconv", "wide+mlp", "bad")
        self.pull("mlp", -8.0, -7.0).pull("deconv", -6.0, -5.0, -5.5).pull("wide+mlp", -9.0)
        self.pull("bad", -4.0).fail("bad").cut("wide+mlp").pull("mlp", -6.5)
        return self.draw("mlp", "deconv").finish("deconv")


class Shown:
    """What MLflow has of one search."""

    def __init__(self, uri, search_id="id-1", experiment="vaesearch"):
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=uri)
        self.experiment = self.client.get_experiment_by_name(experiment)
        runs = self.client.search_runs(
            [self.experiment.experiment_id], f"tags.`vaesearch.search_id` = '{search_id}'"
        )
        below = [r for r in runs if "vaesearch.mixture_of" in r.data.tags]
        self.mixtures = {
            (r.data.tags["vaesearch.mixture_of"], int(r.data.tags["vaesearch.components"])): r
            for r in below
        }
        assert len(self.mixtures) == len(below)
        self.runs = runs = [r for r in runs if r not in below]
        self.parent = next(r for r in runs if "vaesearch.arm" not in r.data.tags)
        self.arms = {r.data.tags["vaesearch.arm"]: r for r in runs if r is not self.parent}

    def history(self, arm, key):
        """``(step, value, time)`` of each point, by step."""
        run = self.arms[arm] if arm else self.parent
        points = self.client.get_metric_history(run.info.run_id, key)
        return sorted((p.step, p.value, p.timestamp) for p in points)

    def files(self, arm, folder=None):
        run = self.arms[arm] if arm else self.parent
        return sorted(f.path for f in self.client.list_artifacts(run.info.run_id, folder))

    def _nameless(self, note):
        """A description with names of arms in place of what is another one elsewhere."""
        here = self.experiment.experiment_id
        for arm, run in self.arms.items():
            note = note.replace(run.info.run_id, arm)
        return note.replace(f"%22{here}%22", "").replace(f"experiments/{here}/", "")

    def everything(self):
        """All that must not depend on how often the upload was interrupted."""
        found = {}
        logged = self.client.search_logged_models([self.experiment.experiment_id])
        models = {
            m.source_run_id: (
                m.name, m.status.value, m.params, m.tags,
                sorted((p.key, p.value, p.step, p.timestamp) for p in m.metrics or ()),
            )
            for m in logged
        }  # fmt: skip
        assert len(models) == len(logged)
        for run in self.runs:
            arm = run.data.tags.get("vaesearch.arm")
            curves = {key: self.history(arm, key) for key in run.data.metrics}
            tags = {k: v for k, v in run.data.tags.items() if k != "mlflow.parentRunId"}
            if note := tags.get("mlflow.note.content"):
                tags["mlflow.note.content"] = self._nameless(note)
            times = (run.info.start_time, run.info.end_time)
            sets = [(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs]
            shown = (run.info.status, times, run.data.params, tags, curves, sets, self.files(arm))
            found[arm] = (*shown, models.get(run.info.run_id))
        assert len(found) == len(self.runs)
        return found


@pytest.fixture(autouse=True)
def _default_store(monkeypatch):
    """MLflow's own functions leave the address of their last store in the environment."""
    for name in ("URI", "USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """An MLflow database, made once because that takes seconds, after it went wrong once."""
    from vaesearch.tracking.mlflow_store import MlflowStore

    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    path.with_name(".mlflow.db.new").write_bytes(b"cut short")
    MlflowStore(f"sqlite:///{path}", "template", path.parent)
    return path


@pytest.fixture
def runs(tmp_path):
    """A runs folder; its name is the kind that people really have."""
    folder = tmp_path / "my run's ünïcode #1"
    folder.mkdir()
    return folder


@pytest.fixture
def uri(runs, template):
    """A database in the runs folder."""
    shutil.copy(template, runs / "mlflow.db")
    return f"sqlite:///{runs}/mlflow.db"


@pytest.fixture
def search(runs):
    fake = FakeSearch(runs / "search 1")
    yield fake
    fake.ledger.close()


@pytest.fixture
def other_search(runs):
    fake = FakeSearch(runs / "search 2", "id-2")
    yield fake
    fake.ledger.close()


@pytest.fixture
def shown():
    return Shown


@pytest.fixture
def uploader():
    """Starts uploader processes, and ends them whatever happens."""
    processes = []

    def start(run_dir, uri, *options, experiment="vaesearch"):
        module = "vaesearch.tracking.uploader"
        command = [sys.executable, "-m", module, str(run_dir.path), uri, experiment, *options]
        with run_dir.tracking_log.open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.stdin.close()
        process.wait()


@pytest.fixture
def eventually():
    """Waits until something holds; generous, since the machine may be busy."""

    def wait(holds, seconds=60):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.05)

    return wait
