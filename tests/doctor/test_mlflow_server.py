"""A server that speaks as MLflow's does, and misbehaves on demand."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest
from sqlalchemy.exc import SQLAlchemyError

from vaesearch.doctor import mlflow_server
from vaesearch.doctor.core import Question
from vaesearch.doctor.mlflow_server import SEARCH, look_database, look_mlflow, look_server

KEY = base64.b64encode(b"me:secret").decode()


@pytest.fixture
def serve():
    """Start a server with these answers by path; its address."""
    servers, asked = [], []

    def start(answers, wanted=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = answers.get(self.path, (404, "nothing"))
                if wanted and self.path == SEARCH:
                    given = self.headers.get("Authorization")
                    status = status if given == wanted else 401
                asked.append((self.server.server_port, self.path))
                self.send_response(status)
                if 300 <= status < 400:  # the body is where to
                    self.send_header("Location", text)
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *words):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    start.asked = asked
    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


OURS = version("mlflow")
WELL = {"/version": (200, OURS), SEARCH: (200, json.dumps({"experiments": []}))}


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TRACKING_URI", "TRACKING_USERNAME", "TRACKING_PASSWORD", "TRACKING_TOKEN"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)


def test_a_server_that_answers(serve):
    found = look_server(serve(WELL))
    assert found.state == "ok"
    assert f"version {OURS}" in found.seen


@pytest.mark.parametrize(
    ("answers", "state", "said"),
    [
        ({**WELL, "/version": (200, "2.9.0")}, "warning", "2.9.0"),
        ({**WELL, "/version": (200, "<html>hello")}, "FAIL", "not MLflow's"),
        ({}, "FAIL", "status 404"),
        ({**WELL, SEARCH: (403, "Invalid Host header")}, "FAIL", "refuses its own name"),
        ({**WELL, SEARCH: (403, "Permission denied")}, "FAIL", "does not let us in"),
        ({**WELL, SEARCH: (500, "broken")}, "FAIL", "status 500"),
    ],
)
def test_a_server_that_does_not_do(serve, answers, state, said):
    found = look_server(serve(answers))
    assert found.state == state
    assert said in found.seen
    assert found.cure


def test_credentials(serve, tmp_path):
    address = serve(WELL, wanted=f"Basic {KEY}")
    wrong = look_server(address, {})
    assert wrong.state == "FAIL"
    assert "MLFLOW_TRACKING_USERNAME" in wrong.cure
    given = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "secret"}
    assert look_server(address, given).state == "ok"
    inside = look_server(address.replace("//", "//me:secret@"), {})
    assert inside.state == "ok"
    assert "secret" not in inside.seen
    kept = tmp_path / ".mlflow" / "credentials"
    kept.parent.mkdir()
    kept.write_text("[mlflow]\nmlflow_tracking_username=me\nmlflow_tracking_password=secret\n")
    assert look_server(address, {}).state == "ok"


def test_a_password_goes_nowhere_else(serve, monkeypatch):
    other = serve(WELL)
    monkeypatch.setenv("http_proxy", other)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for path in WELL:
        address = serve(WELL | {path: (302, f"{other}{path}")})
        found = look_server(address.replace("//", "//me:secret@"), {})
        assert (found.state, found.seen.partition(" redirects ")[2]) == (
            "FAIL",
            f"to {other}{path}",
        )
    assert not [path for port, path in serve.asked if other.endswith(f":{port}")]


def test_a_token(serve):
    address = serve(WELL, wanted="Bearer abc")
    assert look_server(address, {"MLFLOW_TRACKING_TOKEN": "abc"}).state == "ok"


def test_nobody_there():
    found = look_server("http://127.0.0.1:1")
    assert found.state == "FAIL"
    assert "Connection refused" in found.seen
    assert "--port 1" in found.cure


@pytest.mark.parametrize(
    ("uri", "state"),
    [
        (None, "ok"), ("none", "ok"), ("sqlite:///x.db", "ok"), ("sqlite:////proc/x.db", "FAIL"),
        ("./mlruns", "FAIL"), ("ftp://x", "FAIL"), ("postgresql+psycopg://127.0.0.1:1/x", "FAIL"),
    ],
)  # fmt: skip
def test_other_addresses(uri, state, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).startswith("/proc"))
    [found] = look_mlflow(Question(tracking_uri=uri))
    assert found.state == state


@pytest.mark.parametrize(
    ("uri", "given"),
    [
        ("postgresql+psycopg://h/x", {"connect_timeout": 10}),
        ("mysql+pymysql://h/x", {"connect_timeout": 10}),
        ("mssql+pyodbc://h/x", {}),
    ],
)
def test_drivers_are_told_only_what_they_know(uri, given, monkeypatch):
    told = []

    def engine(url, connect_args):
        told.append(connect_args)
        raise SQLAlchemyError("closed")

    monkeypatch.setattr("sqlalchemy.create_engine", engine)
    assert look_database(uri).state == "FAIL"
    assert told == [given]


def test_no_mlflow(monkeypatch):
    monkeypatch.setattr(mlflow_server, "installed", lambda package: None)
    [found] = look_mlflow(Question())
    assert (found.state, found.cure) == ("warning", "pip install mlflow")
