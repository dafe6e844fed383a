"""What compose.yaml starts, started: MLflow on PostgreSQL with a login, and optuna-dashboard."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing

import postgresql
import pytest
from box import SECRETS, Box, free_port

pytest.importorskip("psycopg")
pytest.importorskip("flask_wtf")
pytest.importorskip("optuna_dashboard")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(postgresql.missing()), reason="PostgreSQL is not installed"),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """PostgreSQL as compose makes it; services are started by the tests."""
    with (
        closing(postgresql.Server()) as server,
        closing(Box(tmp_path_factory.mktemp("box"), server)) as box,
    ):
        box.make_databases()
        yield box


def ask(box, path, password=None):
    request = urllib.request.Request(box.url("mlflow") + path)
    if password:
        login = f"{SECRETS['MLFLOW_TRACKING_USERNAME']}:{password}"
        request.add_header("Authorization", f"Basic {b64encode(login.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


SEARCH = [
    "bandit", "--dataset", "digits", "--image-size", "8", "--width", "0.1", "--workers", "2",
    "--decoders", "mlp,mlp-wide", "--train-limit", "200", "--epochs", "4",
]  # fmt: skip


def start_head(box):
    """Ray, with what makes it fit beside other clusters on this machine."""
    ports = ("port", "ray-client-server-port", "dashboard-agent-listen-port")
    box.start(
        "head", "--node-ip-address=127.0.0.1", f"--temp-dir={box.ray}", "--num-cpus=2",
        *(f"--{name}={free_port()}" for name in ports), VAESEARCH_RUNS=str(box.folder / "runs"),
    )  # fmt: skip
    said = json.loads(box.wait("head", "/api/authentication_mode"))
    assert said == {"authentication_mode": "token"}


def test_a_search_is_submitted_and_is_in_mlflow_behind_its_login(box):
    box.start("mlflow")
    box.wait("mlflow", "/health")
    runs = "/api/2.0/mlflow/experiments/search?max_results=10"
    for password in (None, "wrong"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(box, runs, password)
    start_head(box)
    # As somebody on another machine, who knows the token and nothing else.
    secrets = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    person = secrets | {"RAY_AUTH_TOKEN": SECRETS["RAY_AUTH_TOKEN"]}
    command = [sys.executable, "-m", "vaesearch", "submit", "--address", box.url("head"), "--"]
    done = subprocess.run(
        [*command, *SEARCH], env=person, capture_output=True, text=True, check=False,
        cwd=box.folder / "home",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    [results] = (box.folder / "runs").rglob("results.json")
    assert json.loads(results.read_text())["epochs"] == 4
    found = ask(box, runs, SECRETS["MLFLOW_TRACKING_PASSWORD"])["experiments"]
    assert "vaesearch" in {experiment["name"] for experiment in found}
    assert list(box.artifacts.rglob("*.pt*"))  # by way of the server, onto its own disk


def test_the_dashboard_starts_on_an_empty_database(box):
    box.start("optuna-dashboard")
    assert json.loads(box.wait("optuna-dashboard", "/api/studies")) == {"study_summaries": []}
