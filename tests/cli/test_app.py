"""The command as a user types it, with the obvious mistakes: a line or two, the right status."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tiny
from click.testing import CliRunner

from vaesearch import __version__
from vaesearch.bandits.core import Budget
from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.events import SearchStarted
from vaesearch.search.ledger import Ledger, read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run a command in this process, in an empty directory: (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))

    def run(*words):
        status = _status(app, [str(w) for w in words], debug=False)
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bandit", "--dataset", "cifr10"], "did you mean 'cifar10'"),
        (["bandit", "--decoders", "mpl"], "did you mean 'mlp'"),
        (["bandit", "--decoders", "mlp,mlp"], "given twice"),
        (["bandit", "--decoders", "99"], "ask for 1 to that many"),
        (["bandit", "--decoders", "0"], "ask for 1 to that many"),
        (["bandit", "--decoders", ""], "is empty"),
        (["bandit", "--policy", "thomson"], "did you mean 'thompson'"),
        (["bandit", "--policy", "thompson:nonsense=1"], "thompson:nonsense=1"),
        (["bandit", "--policy", "epsilon-greedy:epsilon=7"], "epsilon"),
        (["bandit", "--likelihood", "gaussian:nonsense"], "gaussian:nonsense"),
        (["bandit", "--likelihood", "bernoulli"], "--pixels binary"),
        (["bandit", "--likelihood", "relaxed-bernoulli"], "--reward elbo"),
        (["bandit", "--pixels", "binary"], "bernoulli"),
        (["bandit", "--datset", "digits"], "--dataset"),
        (["bandit", "--epochs", "0"], "--epochs must be above 0"),
        (["bandit", "--epochs", "-3"], "--epochs must be above 0"),
        (["bandit", "--epochs", "many"], "many"),
        (["bandit", "--seconds", "0"], "--seconds must be above 0"),
        (["bandit", "--seconds", "nan"], "--seconds must be above 0"),
        (["bandit", "--width", "-1"], "--width must be above 0"),
        (["bandit", "--alpha", "-1"], "--alpha must be 0 or above"),
        (["bandit", "--batch-size", "1"], "--batch-size"),
        (["bandit", "--backend", "local", "--workers", "2"], "--backend ray"),
        (["bandit", "--backend", "slurm"], "unknown backend"),
        (["bandit", "--image-size", "30", "--decoders", "deconv"], "multiple of 8"),
        (["bandit", "--dataset", "missing.npz"], "missing.npz"),
        (["bandit", "--tracking-uri", "ftp://x"], "unknown kind of --tracking-uri"),
        (["bandit", "--tracking-uri", "./mlruns"], "sqlite:///"),
        (["bandit", "--address", "127.0.0.1:1", "--run-dir", "x"], "no Ray cluster answers"),
        (["bandit", "--config", "missing.yaml"], "cannot read missing.yaml"),
        (["bandt"], "did you mean 'bandit'"),
        (["resume", "nowhere"], "is not a run directory"),
        (["sync", "nowhere"], "is not a run directory"),
        (["ui"], "run `vaesearch bandit` first"),
        (["bandit", "--register", "a/b"], "--register 'a/b' can be no model's name"),
        (["bandit", "--register", "m", "--tracking-uri", "none"], "--register needs MLflow"),
        (["list", "decodrs"], "did you mean 'decoders'"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_in_two_lines_at_most(say, words, said):
    status, out, err = say(*words)
    assert status == 2
    assert said in err
    assert out == ""
    assert len(err.strip().splitlines()) <= 2
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochz: 3", "did you mean 'epochs'"),
        ("epochs: lots", "epochs must be int"),
        ("- a list", "option: value"),
        ("a: b: c", "is not YAML"),
    ],
)
def test_a_mistake_in_a_file_too(say, tmp_path, text, said):
    (tmp_path / "c.yaml").write_text(text)
    status, _, err = say("bandit", "--config", "c.yaml")
    assert status == 2
    assert said in err


def test_version_and_lists(say):
    assert say("--version") == (0, f"vaesearch {__version__}\n", "")
    status, out, _ = say("list")
    assert status == 0
    for name in ("deconv-deep", "thompson", "cifar10", "discretized-normal"):
        assert name in out
    assert "mlp-wide" in say("list", "decoders")[1]


def test_help_names_every_option():
    out = CliRunner().invoke(app, ["bandit", "--help"]).output
    for option in ("--decoders", "--epochs", "--run-dir", "--config", "--json", "--width"):
        assert option in out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    tiny.write_dataset(folder)
    return folder


def options(folder, *more):
    return ["--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--backend", "local",
            "--tracking-uri", "none", *more]  # fmt: skip


@pytest.fixture(scope="module")
def finished(folder):
    """A run directory whose search is done, and what was said."""
    run_dir = folder / "done 'n dusted"
    words = options(folder, "--run-dir", run_dir, "--policy", "uniform")
    done = tiny.run("bandit", *words, cache=folder)
    assert done.returncode == 0, done.stderr
    return run_dir, done.stdout


def test_a_search_ends_with_a_ranking_a_model_and_pictures(finished):
    run_dir, said = finished
    results = json.loads((run_dir / "results.json").read_text())
    assert results["epochs"] == 18
    assert [a["reward"] for a in results["arms"]] == sorted(
        (a["reward"] for a in results["arms"]), reverse=True
    )
    best = results["best_arm"]
    for name in ("model.pt", "samples.png", "prior_samples.png", "reconstructions.png"):
        assert (run_dir / "arms" / best / name).stat().st_size > 0
    assert (run_dir / "plots" / "learning_curves.png").exists()
    assert best in (run_dir / "results.md").read_text()
    assert "vaesearch ui" in said
    assert best in said
    assert all(arm["test"]["bpd"] > 0 for arm in results["arms"])


def test_only_last_and_best_checkpoints_are_kept(finished):
    run_dir, _ = finished
    for arm in json.loads((run_dir / "results.json").read_text())["arms"]:
        kept = {p.name[:11] for p in (run_dir / "checkpoints" / arm["name"]).iterdir()}
        wanted = {arm["epochs"], arm["best_epoch"]}
        assert kept == {f"epoch-{epoch:05d}" for epoch in wanted}


def test_the_model_is_loaded_without_the_search(finished):
    import torch

    import vaesearch

    run_dir, _ = finished
    best = json.loads((run_dir / "results.json").read_text())["best_arm"]
    model = vaesearch.load_model(run_dir / "arms" / best / "model.pt")
    assert model.sample(3, torch.Generator().manual_seed(0)).shape == (3, 1, 16, 16)


def test_a_finished_run_leaves_curves_that_can_be_replayed(say, finished, tmp_path):
    run_dir, _ = finished
    for source in (run_dir, run_dir / "curves.json.gz"):
        words = ("--policy", "uniform", "--epochs", 18, "--out", tmp_path / "out", "--json")
        status, out, err = say("replay", source, *words)
        assert status == 0, err
        *_, replayed, _ = json.loads(out)["policies"]
        results = json.loads((run_dir / "results.json").read_text())
        assert replayed["searches"][0]["best_arm"] == results["best_arm"]
        best = results["arms"][0]
        assert replayed["mean"]["validation"]["mean"] == -best["reward"]
        assert replayed["mean"]["test"]["mean"] == best["test"]["bpd"]


def test_a_used_directory_is_left_alone(say, folder, finished):
    run_dir, _ = finished
    before = (run_dir / "ledger.jsonl").read_bytes()
    again = options(folder, "--run-dir", run_dir, "--policy", "uniform")
    status, _, err = say("bandit", *again)
    assert (status, "holds this search already" in err) == (2, True)
    status, _, err = say("bandit", *again, "--seed", "7")
    assert (status, "another configuration (seed 0 there, 7 here)" in err) == (2, True)
    assert (run_dir / "ledger.jsonl").read_bytes() == before


def test_resuming_what_is_done_changes_nothing_and_says_so(say, finished):
    run_dir, _ = finished
    before = (run_dir / "ledger.jsonl").read_bytes()
    status, out, _ = say("resume", run_dir, "--json")
    assert status == 0
    assert json.loads(out)["epochs"] == 18
    assert (run_dir / "ledger.jsonl").read_bytes() == before


def test_another_policy_may_go_on_with_a_search(say, finished, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", list(sys.path))
    copy = tmp_path / "other"
    shutil.copytree(finished[0], copy)
    before = (copy / "ledger.jsonl").read_bytes()
    status, _, err = say("resume", copy, "--epochs", "20", "--policy", "first_arm:Missing")
    assert (status, "no module 'first_arm' can be imported" in err) == (2, True)
    assert (copy / "ledger.jsonl").read_bytes() == before
    (tmp_path / "first_arm.py").write_text(
        "from vaesearch.bandits.core import Decision\n"
        "class First:\n"
        "    def choose(self, history, rng):\n"
        "        arm = history.candidates[0].name\n"
        "        return Decision('nobody' if history.decisions == 20 else arm, 'the first')\n"
    )
    status, _, err = say("resume", copy, "--epochs", "22", "--policy", "first_arm:First")
    assert (status, "which is unknown; allowed:" in err) == (1, True)
    status, out, err = say("resume", copy, "--policy", "uniform", "--json")
    assert (status, json.loads(out)["epochs"]) == (0, 22), err


def test_a_larger_budget_extends_a_search(say, folder, finished, tmp_path):
    copy = tmp_path / "longer"
    shutil.copytree(finished[0], copy)
    status, out, err = say("resume", copy, "--epochs", "24", "--json")
    assert status == 0, err
    assert json.loads(out)["epochs"] == 24
    assert json.loads((copy / "results.json").read_text())["epochs"] == 24


def test_data_that_changed_are_refused(say, folder, finished, tmp_path):
    import numpy as np

    copy = tmp_path / "changed"
    shutil.copytree(finished[0], copy)
    ledger = copy / "ledger.jsonl"
    other = tmp_path / "other.npz"
    with np.load(folder / "blobs.npz") as arrays:
        np.savez(other, x_train=arrays["x_train"][::-1], x_test=arrays["x_test"])
    text = ledger.read_text().replace(str(folder / "blobs.npz"), str(other))
    ledger.write_text(text)
    status, _, err = say("resume", copy, "--epochs", "20")
    assert (status, "are not those that" in err) == (2, True)


def test_a_damaged_checkpoint_ends_its_arm_and_not_the_search(say, finished, tmp_path):
    copy = tmp_path / "damaged"
    shutil.copytree(finished[0], copy)
    for path in (copy / "checkpoints" / "mlp").iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    status, out, _ = say("resume", copy, "--epochs", "40", "--json")
    results = {arm["name"]: arm for arm in json.loads(out)["arms"]}
    assert status == 0
    assert results["mlp"]["status"] == "failed"
    assert "is damaged" in results["mlp"]["note"]


def test_a_damaged_ledger_is_refused_by_line_and_a_torn_one_goes_on(say, finished, tmp_path):
    copy = tmp_path / "torn"
    shutil.copytree(finished[0], copy)
    ledger = copy / "ledger.jsonl"
    whole = ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:6], b"x" + lines[6], *lines[7:]]))
    status, _, err = say("resume", copy)
    assert (status, "line 7 is damaged" in err) == (2, True)
    ledger.write_bytes(whole[: -len(lines[-1]) // 2])
    status, _, err = say("resume", copy, "--json")
    assert status == 0, err
    assert tiny.comparable(copy) == tiny.comparable(finished[0])


def test_a_directory_in_use_is_refused(say, finished):
    holder = RunDir(finished[0])
    holder.lock()
    try:
        status, _, err = say("resume", finished[0], "--epochs", "30")
    finally:
        holder.unlock()
    assert status == 2
    assert f"is in use by process {os.getpid()}" in err


def test_a_seconds_budget_is_kept(say, folder, tmp_path):
    words = [w for w in options(folder) if w not in ("--epochs", "18")]
    run = tmp_path / "s"
    status, out, err = say("bandit", *words, "--seconds", "3", "--run-dir", run, "--json")
    assert status == 0, err
    events = read_ledger(run / "ledger.jsonl")
    started = [e.time - events[0].time for e in events if e.kind == "pull_started"]
    assert max(started) <= 3
    results = json.loads(out)
    assert re.fullmatch(
        r"the budget of 3 seconds is spent|\S+ of 3 seconds are left, too few .*",
        results["reason"],
    )
    assert results["epochs"] > 0


def test_nothing_is_lost_on_a_full_disk(say, folder, tmp_path, monkeypatch):
    from vaesearch.checkpoints import CheckpointStore

    save, calls = CheckpointStore.save, []

    def full_after_five(self, *arguments):
        calls.append(arguments)
        if len(calls) == 6:
            raise_full()
        return save(self, *arguments)

    def raise_full():
        from vaesearch.errors import StorageError

        raise StorageError("cannot write x: No space left on device.")

    monkeypatch.setattr(CheckpointStore, "save", full_after_five)
    status, _, err = say("bandit", *options(folder, "--run-dir", tmp_path / "f"))
    assert (status, "No space left" in err) == (1, True)
    assert "make room, then vaesearch resume" in err
    assert fold(read_ledger(tmp_path / "f" / "ledger.jsonl"), Budget()).history.spent == 5
    status, out, _ = say("resume", tmp_path / "f", "--json")
    assert (status, json.loads(out)["epochs"]) == (0, 18)


def test_an_empty_ledger_is_begun_again(say, folder, tmp_path):
    run_dir = RunDir(tmp_path / "e")
    run_dir.create()
    Ledger(run_dir.ledger).close()
    status, _, err = say("resume", run_dir.path)
    assert (status, "holds no search yet" in err) == (2, True)
    status, _, err = say("bandit", *options(folder, "--run-dir", run_dir.path, "--epochs", "3"))
    assert status == 0, err


def test_a_config_file_and_the_command_line_win_in_this_order(say, folder, tmp_path):
    (tmp_path / "c.yaml").write_text("epochs: 9\nseed: 3\ndecoders: [mlp, mlp-wide]\n")
    words = ["--dataset", folder / "blobs.npz", "--image-size", "16", "--width", "0.05",
             "--backend", "local", "--tracking-uri", "none", "--encoders", "mlp"]  # fmt: skip
    status, out, err = say(
        "bandit", *words, "--config", "c.yaml", "--epochs", "4", "--run-dir", "c", "--json"
    )
    assert status == 0, err
    results = json.loads(out)
    assert (results["epochs"], results["seed"], len(results["arms"])) == (4, 3, 2)
    started = read_ledger(tmp_path / "c" / "ledger.jsonl")[0]
    assert isinstance(started, SearchStarted)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_once_or_twice_it_can_go_on(folder, tmp_path, times, number):
    run_dir = tmp_path / "stopped"
    words = ["bandit", *options(folder, "--run-dir", run_dir, "--epochs", "5000")]
    process = subprocess.Popen(
        tiny.command(*words), env=tiny.environment(folder),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    await_lines(run_dir, 20)
    for _ in range(times):
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    if times == 1:
        assert f"vaesearch resume {run_dir}" in err
    assert fold(read_ledger(run_dir / "ledger.jsonl"), Budget()).history.spent > 0


def await_lines(run_dir, lines):
    deadline = time.time() + 50
    ledger = run_dir / "ledger.jsonl"
    while not ledger.exists() or ledger.read_bytes().count(b"\n") < lines:
        assert time.time() < deadline
        time.sleep(0.01)
