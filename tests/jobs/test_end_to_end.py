"""Submissions to real heads: everything is sent from a folder that is not the source."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ray_head import RayHead

ROOT = Path(__file__).parents[2]
NETS = ROOT / "examples" / "own_networks" / "my_nets.py"
SMALL = (
    "--image-size", "8", "--width", "0.1", "--train-limit", "200", "--tracking-uri", "none",
)  # fmt: skip
LONG = ("--decoders", "mlp,mlp-wide", "--epochs", "100000")


@pytest.fixture
def user(tmp_path):
    """Somebody with a folder of their own: ``user(head, words...)`` runs a command there."""
    folder = tmp_path / "user"
    folder.mkdir()

    def environ(head):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "VAESEARCH_"))}
        return {**kept, "RAY_API_SERVER_ADDRESS": head.url, "HOME": str(folder)}

    def start(head, *words, **more):
        return subprocess.Popen(
            [sys.executable, "-m", "vaesearch", *map(str, words)], cwd=folder,
            env=environ(head) | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(head, *words, **more):
        process = start(head, *words, **more)
        process.out, process.err = process.communicate()
        return process

    run.start, run.folder = start, folder
    return run


def wait_for(user, head, job, word):
    while word not in user(head, "logs", job).out:
        time.sleep(0.5)


def events(run_dir):
    return [json.loads(line) for line in (run_dir / "ledger.jsonl").read_text().splitlines()]


def epochs_of(run_dir):
    found = [e for e in events(run_dir) if e["event"] == "pull_finished"]
    return sum(len(e["reports"]) for e in found)


@pytest.fixture(scope="module")
def head():
    with RayHead() as started:
        yield started


@pytest.mark.timeout(300)  # seconds for the head, and seconds for the job, by the clock of CI
def test_a_search_is_sent_with_its_files_and_followed(head, user, tmp_path):
    draws = np.random.default_rng(0).integers(0, 256, (2, 120, 8, 8), dtype=np.uint8)
    np.savez(user.folder / "my data.npz", x_train=draws[0], x_test=draws[1])
    (user.folder / "my_nets.py").write_bytes(NETS.read_bytes())
    (user.folder / "private.txt").write_text("stays here")
    (user.folder / "a.yaml").write_text("decoders: mlp,my_nets:MyDecoder\n")
    done = user(
        head, "submit", "--", "bandit", "--config", "a.yaml", "--dataset", "my data.npz", *SMALL,
        "--epochs", "3", "--run-dir", tmp_path / "run $(x)",
    )  # fmt: skip
    assert done.returncode == 0, done.out + done.err
    assert "\x1b" not in done.out
    assert "[3/3]" in done.out
    assert epochs_of(tmp_path / "run $(x)") == 3
    assert "with this package and 3 files" in done.err
    (row,) = json.loads(user(head, "jobs", "--json").out)
    assert (row["status"], row["exit_status"]) == ("SUCCEEDED", 0)
    assert row["run_dir"] == str(tmp_path / "run $(x)")
    # The driver ran on the head, in a folder of its own, on a cluster that was there.
    started = next(e for e in events(tmp_path / "run $(x)") if e["event"] == "search_started")
    assert started["config"]["dataset"].startswith(f"{tmp_path}/.sent/")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_only_the_cluster_can_find_wrong(head, user, tmp_path):
    missing = user(head, "submit", "--", "bandit", "--dataset", "/gone/x.npz", "--run-dir",
                   tmp_path / "x")  # fmt: skip
    assert missing.returncode == 2
    assert "--dataset /gone/x.npz: there is no such file where the search runs" in missing.out
    nowhere = user(head, "submit", "--", "bandit", "--dataset", "digits")
    assert nowhere.returncode == 2
    assert "The cluster does not set VAESEARCH_RUNS" in nowhere.out
    bare = user(head, "submit", "--python", "/usr/bin/python3", "--", "bandit", "--run-dir",
                tmp_path / "x")  # fmt: skip
    assert bare.returncode in (2, 1)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_stopped_and_gone_on_with(head, user, tmp_path):
    words = ("bandit", "--dataset", "digits", *SMALL, *LONG)
    sent = user(
        head, "submit", "--detach", "--json", "--env", f"VAESEARCH_RUNS={tmp_path}", "--", *words
    )
    job = json.loads(sent.out)["id"]
    wait_for(user, head, job, "epoch 3")
    follower = user.start(head, "logs", job[:-1], "--follow")
    assert "Runtime env" in follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate()
    assert follower.returncode == 130
    assert "The job goes on." in err
    stopped = user(head, "stop", job)
    assert stopped.returncode == 0, stopped.err
    again = stopped.out.splitlines()[-1].split()
    run_dir = Path(again[-1])
    assert run_dir.parent == tmp_path
    assert again[:2] == ["vaesearch", "submit"]
    assert "Stopped. Every finished epoch is kept" in user(head, "logs", job).out
    before = epochs_of(run_dir)
    done = user(head, *again[1:], "--epochs", before + 2)
    assert done.returncode == 0, done.out + done.err
    assert epochs_of(run_dir) == before + 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_driver_may_run_on_a_worker_node_and_waits_for_room(head, user, tmp_path):
    words = ("bandit", "--dataset", "digits", *SMALL, "--decoders", "mlp", "--epochs", "1")
    done = user(head, "submit", "--driver-cpus", "1", "--id", "placed", "--", *words, "--run-dir",
                tmp_path / "x")  # fmt: skip
    assert done.returncode == 0, done.out + done.err
    user(head, "submit", "--detach", "--driver-resources", "moon=1", "--id", "never", "--", *words,
         "--run-dir", tmp_path / "y")  # fmt: skip
    again = user(head, "submit", "--id", "placed", "--", *words, "--run-dir", tmp_path / "z")
    assert again.returncode == 2
    assert "there is a job placed" in again.err
    stopped = user(head, "stop", "never")
    assert stopped.returncode == 1
    assert "never still waits for room" in stopped.err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_head_with_a_token(user, tmp_path):
    secret = "a-token-of-thirty-two-characters"
    with RayHead(token=secret) as locked:
        words = (
            "submit", "--", "bandit", "--dataset", "digits", *SMALL, "--decoders", "mlp",
            "--epochs", "1", "--run-dir", tmp_path / "run",
        )  # fmt: skip
        none = user(locked, *words)
        assert (none.returncode, "wants a token" in none.err) == (2, True)
        wrong = user(locked, *words, RAY_AUTH_TOKEN="x" * 32)
        assert (wrong.returncode, "does not accept the token" in wrong.err) == (2, True)
        (user.folder / ".ray").mkdir()
        (user.folder / ".ray" / "auth_token").write_text(secret)
        right = user(locked, *words)
        assert right.returncode == 0, right.out + right.err
        assert secret not in right.out + right.err
    assert epochs_of(tmp_path / "run") == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_head_that_is_killed_and_comes_back(user, tmp_path):
    words = ("bandit", "--dataset", "digits", *SMALL, *LONG, "--run-dir", tmp_path / "run")
    with RayHead() as own:
        follower = user.start(own, "submit", "--id", "first", "--", *words)
        wait_for(user, own, "first", "epoch 3")
        own.kill()
        own.start()
        _, err = follower.communicate()
        assert follower.returncode == 1
        assert f"vaesearch submit -- resume {tmp_path / 'run'}" in err
        before = epochs_of(tmp_path / "run")
        done = user(own, "submit", "--", "resume", tmp_path / "run", "--epochs", before + 2)
        assert done.returncode == 0, done.out + done.err
        assert epochs_of(tmp_path / "run") == before + 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_an_installed_wheel(head, user, tmp_path):
    """The wheel alone is in a fresh environment; what it needs is found where it is installed."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", tmp_path / "wheels", ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", fresh], check=True)
    site = next(fresh.glob("lib/python*/site-packages"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", site,
         wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    (site / "others.pth").write_text(str(Path(np.__file__).parents[1]))
    where = subprocess.run(
        [fresh / "bin" / "python", "-c", "import vaesearch; print(vaesearch.__file__)"],
        capture_output=True, text=True, cwd=user.folder,
    ).stdout  # fmt: skip
    assert where.startswith(str(site))
    # That this very copy ran is seen by a mark in it.
    with (site / "vaesearch" / "__init__.py").open("a") as file:
        file.write('\n__version__ = "9.9.9"\n')
    environ = {**os.environ, "HOME": str(user.folder)}
    done = subprocess.run(
        [fresh / "bin" / "python", "-m", "vaesearch", "submit", "--address", head.url, "--",
         "tune", "--dataset", "digits", *SMALL, "--decoders", "mlp", "--trials", "2", "--epochs",
         "2", "--run-dir", tmp_path / "run"],
        cwd=user.folder, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    started = next(e for e in events(tmp_path / "run") if e["event"] == "search_started")
    assert started["version"] == "9.9.9"
