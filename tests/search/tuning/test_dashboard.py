"""optuna-dashboard, by the command that the end of a search prints."""

import json
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from story import Story
from studies import told, written

from vaesearch.cli.text import next_commands

pytest.importorskip("optuna_dashboard")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def dashboard(tmp_path, empty_storage):
    """Serves a finished search's study.db; yields what fetches a page of it."""
    story = Story().example().ended()
    address = f"sqlite:///{tmp_path}/study.db"
    study = written(story, address)
    [line] = [c for c in next_commands(story.state, tmp_path) if "optuna-dashboard" in c]
    words = shlex.split(line, comments=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name(words[0]))
    with subprocess.Popen(
        [program, *words[1:], "--port", str(port), "--server", "wsgiref"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip

        def fetch(path):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                return json.loads(answer.read())

        try:
            yield fetch, study
        finally:
            process.terminate()


def _patiently(fetch, path):
    deadline = time.monotonic() + 60
    while True:
        try:
            return fetch(path)
        except OSError:
            assert time.monotonic() < deadline, "the dashboard never came up"
            time.sleep(0.2)


def test_it_shows_what_the_study_says(dashboard):
    fetch, study = dashboard
    [summary] = _patiently(fetch, "/api/studies")["study_summaries"]
    assert summary["study_name"] == study.study_name
    shown = fetch(f"/api/studies/{summary['study_id']}?after=0")
    assert shown["objective_names"] == ["bpd"]
    states = [trial["state"].upper() for trial in shown["trials"]]
    assert states == ["COMPLETE", "PRUNED", "PRUNED", "COMPLETE", "FAIL", "COMPLETE"]
    first = shown["trials"][0]
    assert first["values"] == [3.6]
    assert {p["name"]: p["param_external_value"] for p in first["params"]}["latent_dim"] == "2"
    assert [i["step"] for i in first["intermediate_values"]] == [1, 2, 4, 8]
    attributes = {a["key"]: a["value"] for a in first["user_attrs"]}
    assert attributes["arm"] == "trial-000"
    assert attributes["test_bpd"] == "3.7"
    assert told(study)[1][5]["note"] == "behind"
