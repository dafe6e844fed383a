"""The command as it is typed: on this machine, and on a cluster that is started here."""

import json
import os
import subprocess
import sys
import time

import pytest
from ray_head import RayHead

from vaesearch.cli.app import app
from vaesearch.cli.doctor import show, summary
from vaesearch.cli.remote import answer_in
from vaesearch.cli.terminal import _status
from vaesearch.doctor.core import fail, ok, warning

FAST = [
    "bandit", "--dataset", "digits", "--image-size", "8", "--width", "0.1", "--decoders",
    "mlp,mlp-wide", "--train-limit", "200", "--tracking-uri", "none",
]  # fmt: skip


@pytest.fixture
def say(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = _status(app, list(words), debug=False)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_a_line_each_and_what_to_do(capsys):
    show([ok("a", "well"), warning("b", "so so", "do\nthis"), fail("c", "bad", "")], False)
    assert capsys.readouterr().out.splitlines() == [
        "ok      a              well",
        "warning b              so so",
        "        → do this",
        "FAIL    c              bad",
        "1 failure and 1 warning.",
    ]


def test_the_last_line():
    assert summary([ok("a", "")]) == "All is well."
    assert summary([warning("a", "", "")] * 2) == "2 warnings: a search can run."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--backend", "slurm"], "'slurm' is not one of 'ray', 'local'"),
        (["runs/a"], "unexpected extra argument"),
        (["--address", "http://127.0.0.1:1", "--run-dir", "runs/a"], "is a path of this machine"),
    ],
)
def test_wrong_usage(say, words, said):
    status, out, err = say("doctor", *words)
    assert (status, out) == (2, "")
    assert said in err


def test_a_head_that_is_not_there_is_a_line(say):
    status, out, _ = say("doctor", "--address", "http://127.0.0.1:1", "--json")
    [found] = json.loads(out)
    assert (status, found["name"], found["state"]) == (1, "head", "FAIL")
    assert found["cure"]


def test_this_machine(say):
    """With what fails on purpose: everything else is told all the same."""
    status, out, _ = say(
        "doctor", "--backend", "local", "--tracking-uri", "http://127.0.0.1:1", "--json"
    )
    found = {each["name"]: each for each in json.loads(out)}
    assert status == 1
    assert [n for n, each in found.items() if each["state"] == "FAIL"] == ["MLflow"]
    assert {"python", "packages", "torch", "GPU", "disk", "storage", "data"} <= set(found)


def test_json_among_remarks():
    assert answer_in('2026 INFO x\n{\n  "a": [1]\n}\n(raylet) y\n') == {"a": [1]}
    assert answer_in("[]\n") == []
    assert answer_in("{\n  of a library\n[\n  2\n]\n") == [2]
    with pytest.raises(ValueError, match="no JSON"):
        answer_in("error: x\n")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("token", [None, "secret"])
def test_a_cluster_by_a_job(tmp_path, token):
    environ = os.environ | {"HOME": str(tmp_path)}
    environ |= {"RAY_AUTH_TOKEN": token} if token else {}

    def vaesearch(*words):
        return subprocess.run(
            [sys.executable, "-m", "vaesearch", *words],
            capture_output=True, text=True, env=environ, cwd=tmp_path, check=False,
        )  # fmt: skip

    with RayHead(token) as head:
        run_dir = str(tmp_path / "shared" / "run")
        done = vaesearch(
            "doctor", "--address", head.url, "--run-dir", run_dir, "--tracking-uri", "none",
            "--json",
        )  # fmt: skip
        found = {each["name"]: each for each in json.loads(done.stdout)}
        assert done.returncode == 0, found
        assert found["token"]["seen"].startswith(f"authentication is {'on' if token else 'off'}")
        assert found["cluster"]["seen"] == "1 node, 0 GPUs"
        assert [f["state"] for n, f in found.items() if n.startswith("node ")] == ["ok"]
        if token:
            return
        sent = vaesearch(
            "submit", "--address", head.url, "--detach", "--", *FAST, "--epochs", "3",
            "--run-dir", run_dir,
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr
        job = sent.stdout.strip()
        look = ("status", job, "--address", head.url, "--json")
        deadline = time.monotonic() + 300
        while '"finished"' not in (told := vaesearch(*look)).stdout:
            assert time.monotonic() < deadline, told
        assert json.loads(told.stdout)["epochs"] == 3
