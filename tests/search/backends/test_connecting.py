"""Wrong addresses, ports, tokens and versions, each said in two lines within seconds."""

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import ray

from vaesearch.errors import InputError, VaesearchError
from vaesearch.search.backends.ray import connecting

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refused(address):
    with pytest.raises(InputError) as caught:
        connecting.connect(address, None)
    assert len(str(caught.value).splitlines()) == 2
    assert not ray.is_initialized()
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (None, "", None),
        (None, "10.0.0.1:6379", "10.0.0.1:6379"),
        ("auto", "10.0.0.1:6379", "10.0.0.1:6379"),
        ("local", "10.0.0.1:6379", None),
        ("10.0.0.2:6379", "10.0.0.1:6379", "10.0.0.2:6379"),
        (None, "http://10.0.0.1:8265", None),
        ("auto", "", "auto"),
    ],
)
def test_inside_of_a_job_the_cluster_of_the_job_is_joined(
    monkeypatch, given, environment, expected
):
    monkeypatch.setenv("RAY_ADDRESS", environment)
    assert connecting.target(given) == expected


def test_a_dashboard_is_for_submitting():
    assert "vaesearch submit --address http://head:8265" in refused("http://head:8265")


def test_a_dashboard_of_the_environment_is_refused_where_it_was_asked_for(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://head:8265")
    assert "vaesearch submit --address http://head:8265" in refused("auto")


def test_an_address_of_the_environment_is_named_as_such(monkeypatch):
    address = f"127.0.0.1:{free_port()}"
    assert "RAY_ADDRESS" not in refused(address)
    monkeypatch.setenv("RAY_ADDRESS", address)
    assert "RAY_ADDRESS is set: unset it or give --address local" in refused(None)


def test_a_start_that_takes_too_long_is_said_in_words_and_leaves_no_trace(monkeypatch):
    def slow(**options):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Exception("The current node timed out during startup.")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(connecting.ray, "init", slow)
    with pytest.raises(VaesearchError, match="did not start on this machine"):
        connecting.connect("local", 1)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("kind", ["", "ray://"])
def test_a_closed_port(kind):
    assert "refused" in refused(f"{kind}127.0.0.1:{free_port()}")


def test_what_is_no_address():
    assert "that is no HOST:PORT" in refused("somewhere")


def test_a_port_where_something_else_listens(monkeypatch):
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = refused(f"127.0.0.1:{server.getsockname()[1]}")
    assert "no head of Ray" in text


@pytest.mark.parametrize("theirs", [("2.50.0", "3.11.7"), (ray.__version__, "3.12.1")])
def test_another_version(monkeypatch, theirs):
    said = dict(zip(("ray_version", "python_version"), theirs, strict=True))
    monkeypatch.setattr(connecting, "_asked", lambda where: said)
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = refused(f"127.0.0.1:{server.getsockname()[1]}")
    assert f"Ray {theirs[0]} on Python {theirs[1]}" in text
    assert f"ray[default]=={theirs[0]}" in text


@pytest.fixture
def head_with_token(tmp_path_factory):
    """The address of a head that wants a token."""
    port, folder = free_port(), tmp_path_factory.mktemp("r")
    words = [
        "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}",
        "--num-cpus=1", "--include-dashboard=false", f"--temp-dir={folder}",
    ]  # fmt: skip
    environment = os.environ | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", *words],
        env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if "This command will now block" in line:
            break
    rest = threading.Thread(target=process.stdout.read)  # so that the pipe never fills
    rest.start()
    yield f"127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    process.wait()
    rest.join()
    process.stdout.close()


JOIN = """
import sys
from vaesearch.errors import InputError
from vaesearch.search.backends.ray.connecting import connect
try:
    print("started" if connect(sys.argv[1], None) else "joined")
except InputError as error:
    print(error)
"""


def join(address, home, **environment):
    """What a process of its own finds there: Ray reads its token once."""
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", JOIN, address], capture_output=True, text=True, check=False,
        env=os.environ | {"HOME": str(home)} | environment,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_tokens(head_with_token, tmp_path):
    wrong = "wants a token, and the one given here is missing or wrong.\nPut the token"
    assert wrong in join(head_with_token, tmp_path / "none")
    assert wrong in join(
        head_with_token, tmp_path / "none", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="x" * 32
    )
    assert wrong in join(head_with_token, tmp_path / "none", RAY_AUTH_MODE="token")
    given = join(head_with_token, tmp_path / "none", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN)
    assert given == "joined\n"
    (tmp_path / "some" / ".ray").mkdir(parents=True)
    (tmp_path / "some" / ".ray" / "auth_token").write_text(TOKEN)
    assert join(head_with_token, tmp_path / "some") == "joined\n"  # as Ray does on a head
