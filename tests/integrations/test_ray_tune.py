"""The scheduler in a real Ray Tune; one Ray for all tests of this file but the killed ones."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
import tune_driver
from tune_driver import trained, tuner

from vaesearch.bandits.core import Budget
from vaesearch.errors import InputError
from vaesearch.events import PullFinished, SearchResumed
from vaesearch.integrations.account import fold
from vaesearch.integrations.ray_tune import LOG_NAME, BanditScheduler, read_history
from vaesearch.search.ledger import read_ledger

pytestmark = pytest.mark.timeout(300)
DOCUMENT = Path(__file__).parents[2] / "docs" / "ray_tune.md"


@pytest.fixture(scope="module")
def one_ray():
    tune_driver.start_ray()
    yield
    ray.shutdown()


def rate(config):
    return str(config["rate"])


def epochs(history):
    return [arm.epochs for arm in history.arms]


@pytest.mark.usefixtures("one_ray")
def test_the_example_of_the_documentation(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    here = f"tune.RunConfig(name='experiment', storage_path={str(tmp_path)!r}, verbose=0)"
    example = example.replace("    Descent,\n", f"    Descent,\n    run_config={here},\n")
    scope = {"__name__": "__main__"}
    exec(compile(example, "ray_tune.md", "exec"), scope)
    history = read_history(tmp_path / "experiment" / LOG_NAME)
    assert history.spent == 24
    assert max(epochs(history)) <= 10
    assert scope["best"].config["rate"] == 0.3
    assert Path(scope["model"].path, "x.json").exists()


@pytest.mark.usefixtures("one_ray")
def test_functions_side_by_side(tmp_path):
    scheduler = BanditScheduler("uniform", epochs=9, workers=2, time_attr="epoch", key=rate)
    grid = tuner("function", tmp_path, scheduler).fit()
    assert len(trained(tmp_path)) == len(set(trained(tmp_path))) == 9
    assert epochs(scheduler.history) == [3, 3, 3]
    assert not grid.errors
    assert all(Path(result.checkpoint.path, "state.json").exists() for result in grid)


@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
@pytest.mark.parametrize("kind", ["class", "function"])
def test_a_pull_of_many_epochs_and_the_policy_staying_with_a_trial(kind, tmp_path):
    scheduler = BanditScheduler("epsilon-greedy:chunk=2", epochs=20, max_t=9, key=rate)
    tuner(kind, tmp_path, scheduler).fit()
    assert len(trained(tmp_path)) == len(set(trained(tmp_path))) == 20
    assert max(epochs(scheduler.history)) <= 9
    assert fold(read_ledger(scheduler.book.path), Budget(20, cap=9)) == scheduler.book.account


@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
@pytest.mark.parametrize("failures", [0, 2])
def test_a_trial_that_fails_however_often_it_is_tried(failures, tmp_path):
    """At its third epoch; each try is paid for."""
    scheduler = BanditScheduler("uniform", epochs=12, key=rate)
    grid = tuner(
        "class", tmp_path, scheduler, rates=[0.01, 0.03], failures=failures, fails_at=3
    ).fit()
    assert trained(tmp_path).count((0.01, 2)) == 1
    assert epochs(scheduler.history) == [2, 2]
    assert all(arm.status == "failed" for arm in scheduler.history.arms)
    assert len(grid.errors) == 2
    assert scheduler.book.account.spent == 4 + 2 * (1 + failures)


@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_a_class_without_checkpoints_trains_nothing(tmp_path):
    class Forgetful(ray.tune.Trainable):
        def step(self):
            return {"loss": 1.0}

    config = ray.tune.TuneConfig(
        metric="loss", mode="min", scheduler=BanditScheduler("uniform", epochs=9)
    )
    run = ray.tune.RunConfig(name="experiment", storage_path=str(tmp_path), verbose=0)
    with pytest.raises(InputError, match="Forgetful cannot be paused"):
        ray.tune.Tuner(Forgetful, tune_config=config, run_config=run).fit()


@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_a_function_without_checkpoints_is_told_at_its_first_pause(tmp_path):
    scheduler = BanditScheduler("uniform", epochs=9)
    with pytest.raises(ray.tune.TuneError, match=r"InputError: trial .* without a checkpoint"):
        tuner("function", tmp_path, scheduler, forgets=True).fit()
    assert len(trained(tmp_path)) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_no_metric_or_a_wrong_one(tmp_path):
    with pytest.raises(InputError, match="needs a metric and a mode"):
        tuner("class", tmp_path, BanditScheduler("uniform", epochs=9), metric=None).fit()
    with pytest.raises(ray.tune.TuneError, match="did not include the specified metric"):
        tuner("class", tmp_path, BanditScheduler("uniform", epochs=9), metric="los").fit()


def driver(kind, folder):
    return subprocess.Popen(
        [sys.executable, tune_driver.__file__, kind, folder, "12"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip


def kill_at(process, folder, lines):
    """Kill the driver, and nothing else, once so many epochs were trained."""
    while process.poll() is None:
        if len(trained(folder)) >= lines:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return
        time.sleep(0.005)
    raise AssertionError(process.stderr.read())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["class", "function"])
@pytest.mark.parametrize("kills", [(1,), (5,), (3, 7)])
def test_killed_and_restored_the_budget_holds(kind, kills, tmp_path):
    for lines in kills:
        kill_at(driver(kind, tmp_path), tmp_path, lines)
    process = driver(kind, tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    done, log = trained(tmp_path), tmp_path / "experiment" / LOG_NAME
    events = read_ledger(log)
    assert sum(isinstance(event, SearchResumed) for event in events) == len(kills)
    account = fold(events, Budget(12, workers=2))
    assert len(done) <= account.spent == 12
    # Two workers, so an interruption costs two epochs at most, and what Tune had not noted down.
    assert read_history(log).spent >= 12 - 4 * len(kills)
    assert all(event.pull >= 0 for event in events if isinstance(event, PullFinished))
