"""MLflow is down for the whole run: the search takes no notice, and its figures come later."""

import time

import pytest
import tiny
from disturbed import EPOCHS, assert_whole, start
from mlflow_servers import MlflowServer


def shown(uri):
    """Epochs in MLflow of every arm of the only search."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("vaesearch")
    found = client.search_runs([experiment.experiment_id])
    runs = [run for run in found if "vaesearch.mixture_of" not in run.data.tags]
    arms = {run.data.tags.get("vaesearch.arm"): run.info.run_id for run in runs}
    assert len(arms) == len(runs)
    arms.pop(None)
    steps = {arm: [m.step for m in client.get_metric_history(run, "bpd")]
             for arm, run in arms.items()}  # fmt: skip
    for epochs in steps.values():
        assert sorted(epochs) == list(range(1, len(epochs) + 1))
    return {arm: len(epochs) for arm, epochs in steps.items()}


def epochs_of(run_dir):
    return {arm["name"]: arm["epochs"] for arm in tiny.comparable(run_dir)["arms"]}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")  # of MLflow's and SQLAlchemy's own
def test_for_the_whole_run_and_back_later(begin, folder, undisturbed, tmp_path):
    run_dir, server = tmp_path / "run", MlflowServer(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    words = begin(run_dir, "--backend", "local", "--tracking-uri", server.address)
    done = tiny.run(*words, cache=folder)
    assert done.returncode == 0, done.stderr
    assert f"`vaesearch sync {run_dir}` sends the rest" in done.stdout + done.stderr
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)
    refused = tiny.run("sync", run_dir, cache=folder)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    server.start()
    try:
        sent = tiny.run("sync", run_dir, cache=folder)
        assert sent.returncode == 0, sent.stderr
        assert shown(server.address) == epochs_of(run_dir)
        assert sum(epochs_of(run_dir).values()) == EPOCHS
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_its_postgresql_is_restarted(folder, tmp_path):
    """So is that of Optuna, in one search: both get everything without being asked."""
    import postgresql

    if postgresql.missing():
        pytest.skip(f"not installed: {', '.join(postgresql.missing())}")
    database = postgresql.Server()
    database.make_database("mlflow")
    server = MlflowServer(tmp_path, database.url("mlflow", driver="postgresql+psycopg"))
    try:
        study, uri, run_dir = database.make_database("optuna"), server.address, tmp_path / "run"
        server.start()
        process = start(
            "tune", "--dataset", folder / "blobs.npz", "--image-size", 16, "--width", 0.05,
            "--decoders", "mlp", "--trials", 6, "--epochs", 60, "--backend", "local",
            "--storage", study, "--tracking-uri", uri, "--run-dir", run_dir, cache=folder,
        )  # fmt: skip
        ledger = run_dir / "ledger.jsonl"
        while not ledger.exists() or ledger.read_bytes().count(b"pull_finished") < 10:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        database.stop()
        time.sleep(1.0)
        database.start()
        _, said = process.communicate(timeout=200)
        assert process.returncode == 0, said
        assert_whole(run_dir, epochs=60)
        env = {"PGPASSWORD": postgresql.PASSWORD}
        sync = start("sync", run_dir, cache=folder, env=env)
        _, said = sync.communicate(timeout=100)
        assert sync.returncode == 0, said
        assert shown(uri) == epochs_of(run_dir)
        assert _trials(database.url("optuna", driver="postgresql+psycopg")) == 6
    finally:
        server.stop()
        database.close()


def _trials(url):
    import optuna

    storage = optuna.storages.RDBStorage(url)
    [name] = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).trials
    assert all(trial.state.is_finished() for trial in trials)
    storage.engine.dispose()
    return len(trials)
