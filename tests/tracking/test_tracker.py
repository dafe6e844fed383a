"""Trackers and uploader processes, as a search meets them."""

import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest

from vaesearch.errors import InputError, RunDirError, VaesearchError
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking import core
from vaesearch.tracking.core import (
    MlflowTracker,
    NullTracker,
    make_tracker,
    sync,
    warning_of,
)
from vaesearch.tracking.cursor import exclusive, load_cursor, lock_path
from vaesearch.tracking.uploader import follow

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.timeout(180),
]
PATIENCE = 120.0  # seconds; the machine may be busy


@pytest.fixture
def nobody():
    """The address of a server that is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_the_driver_never_imports_mlflow():
    code = (
        "import sys, vaesearch.tracking.core, vaesearch.tracking.uploader;"
        "sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_none_is_no_tracking(tmp_path):
    tracker = make_tracker(RunDir(tmp_path), "none", "e")
    assert isinstance(tracker, NullTracker)
    tracker.start()
    assert tracker.close(1.0) is None


def test_an_impossible_address_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        make_tracker(RunDir(tmp_path), "file:///tmp/mlruns", "e")


def test_without_mlflow_there_is_a_notice(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(core, "has_mlflow", lambda: False)
    assert isinstance(make_tracker(RunDir(tmp_path), None, "e"), NullTracker)
    assert "not installed" in caplog.text


def test_a_search_is_followed_while_it_runs(search, uri, shown, eventually):
    tracker = make_tracker(search.run_dir, None, "vaesearch")
    tracker.start()
    search.start("mlp").pull("mlp", -2.0)

    def sent():
        cursor = load_cursor(search.run_dir, uri, "vaesearch")
        return cursor.sent == len(search.ledger.events) and not cursor.error

    eventually(sent)
    assert shown(uri).parent.info.status == "RUNNING"
    search.pull("mlp", -1.0).draw("mlp").finish("mlp")
    assert tracker.close(PATIENCE) is None
    there = shown(uri)
    assert there.parent.info.status == "FINISHED"
    assert [p[:2] for p in there.history("mlp", "reward")] == [(1, -2.0), (2, -1.0)]
    assert there.files("mlp", "images") == ["images/picture.png"]
    assert search.run_dir.tracking_log.read_text() == ""


def test_a_server_that_is_down_costs_nothing_and_loses_nothing(search, uri, nobody, shown):
    tracker = make_tracker(search.run_dir, nobody, "vaesearch")
    tracker.start()
    search.example()
    message = tracker.close(PATIENCE)
    assert "Connection refused" in message
    assert f"`vaesearch sync {shlex.quote(str(search.run_dir.path))}`" in message
    assert len(message.splitlines()) == 2
    with pytest.raises(VaesearchError, match="Connection refused"):
        sync(search.run_dir, nobody, "vaesearch")
    sync(search.run_dir, uri, "vaesearch")
    assert len(shown(uri).runs) == 5


def test_a_trouble_is_warned_of_once_while_the_search_runs(search, nobody, eventually, caplog):
    tracker = make_tracker(search.run_dir, nobody, "vaesearch")
    look = warning_of(tracker)
    tracker.start()
    search.start("mlp")
    eventually(lambda: look(None, None) or "Connection refused" in caplog.text)
    search.pull("mlp", -1.0)
    tracker.close(PATIENCE)
    look(None, None)
    assert caplog.text.count("MLflow gets nothing for now, the search goes on") == 1


def test_no_password_is_an_argument_of_a_process(search):
    uri = "http://me:s3cret@host:5000"
    assert "s3cret" not in " ".join(core._command(search.run_dir, uri, "e"))
    assert core._environment(uri)["VAESEARCH_TRACKING_URI"] == uri
    assert "VAESEARCH_TRACKING_URI" not in core._environment("http://host:5000")


def test_a_password_is_to_be_given_again(search):
    said = MlflowTracker(search.run_dir, "http://me:s3cret@host:5000", "e").close(1.0)
    assert "--tracking-uri ADDRESS` (with its password" in said
    assert "s3cret" not in said
    assert "ADDRESS" not in MlflowTracker(search.run_dir, "http://host:5000", "e").close(1.0)


@pytest.mark.slow
def test_an_uploader_is_not_stopped_with_its_search(search, uri, uploader, eventually):
    """Ray signals whatever the search has started, in whatever session."""
    search.start("mlp")
    process = uploader(search.run_dir, uri)
    eventually(lambda: load_cursor(search.run_dir, uri, "vaesearch").sent)
    process.send_signal(signal.SIGINT)
    search.pull("mlp", -1.0).draw("mlp").finish("mlp")
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    assert load_cursor(search.run_dir, uri, "vaesearch").complete


def test_closing_does_not_wait_longer_than_told(search, nobody):
    tracker = MlflowTracker(search.run_dir, nobody, "vaesearch")
    tracker.start()
    search.example()
    assert "in the background" in tracker.close(0.01)
    assert "Connection refused" in tracker.close(PATIENCE)


def test_an_uploader_that_cannot_start_is_reported_not_raised(search, uri, monkeypatch, caplog):
    monkeypatch.setattr(core, "_command", lambda *_: ["/no/such/program"])
    tracker = MlflowTracker(search.run_dir, uri, "vaesearch")
    tracker.start()
    assert "did not start" in caplog.text
    assert "did not start" in tracker.close(1.0)


def test_syncing_what_is_no_run_or_not_tracked(tmp_path, search):
    with pytest.raises(RunDirError, match="no ledger"):
        sync(RunDir(tmp_path / "nothing"), None, "e")
    with pytest.raises(InputError, match="not tracked"):
        sync(search.run_dir, "none", "e")


def test_syncing_a_live_search_is_refused(search, monkeypatch):
    monkeypatch.setattr(core, "_SYNC_WAIT", 0.0)
    with (
        exclusive(lock_path(search.run_dir)),
        pytest.raises(VaesearchError, match="nothing to do but to wait"),
    ):
        sync(search.run_dir, None, "e")


def test_kill_nine_at_any_time_loses_and_doubles_nothing(search, uri, shown, uploader, eventually):
    search.example()
    whole = search.run_dir.ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    search.run_dir.ledger.write_bytes(lines[0])

    def sent():
        return load_cursor(search.run_dir, uri, "vaesearch").sent

    for attempt in range(5):
        process = uploader(search.run_dir, uri)
        if attempt % 3:  # else die while starting, else soon after something was sent
            before = sent()
            search.run_dir.ledger.write_bytes(b"".join(lines[: before + 4]))
            eventually(lambda before=before: sent() > before)
            time.sleep(0.002 * attempt)
        process.kill()
        process.wait()
    search.run_dir.ledger.write_bytes(whole)
    for experiment in ("vaesearch", "undisturbed"):
        assert follow(search.run_dir, uri, experiment, ended=lambda _: True)
    killed, undisturbed = shown(uri), shown(uri, experiment="undisturbed")
    assert killed.everything() == undisturbed.everything()


def test_an_uploader_outlives_its_search_until_all_is_sent(search, uri, shown, eventually):
    search.start("mlp").pull("mlp", -1.0)
    code = (
        "import os, sys; from pathlib import Path;"
        "from vaesearch.search.run_dir import RunDir; from vaesearch.tracking.core import *;"
        "t = MlflowTracker(RunDir(Path(sys.argv[1])), sys.argv[2], 'vaesearch'); t.start();"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(search.run_dir.path), uri]
    assert subprocess.run(command, check=False).returncode == -9
    eventually(lambda: load_cursor(search.run_dir, uri, "vaesearch").complete)
    with exclusive(lock_path(search.run_dir)):
        assert shown(uri).parent.info.status == "KILLED"


@pytest.mark.slow
def test_two_searches_may_make_the_database_together(search, other_search, runs, shown, uploader):
    fresh = f"sqlite:///{runs}/fresh/mlflow.db"
    processes = [
        uploader(fake.start("mlp").pull("mlp", -1.0).run_dir, fresh, "--drain")
        for fake in (search, other_search)
    ]
    assert [p.wait(PATIENCE) for p in processes] == [0, 0]
    assert len(shown(fresh).runs) == len(shown(fresh, "id-2").runs) == 2


@pytest.fixture
def server(tmp_path, template):
    """Starts ``mlflow server`` at an address, and ends it."""
    started = []

    def start(address):
        host, port = address.removeprefix("http://").split(":")
        store = f"sqlite:///{tmp_path}/server.db"
        command = [
            sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store,
            "--artifacts-destination", str(tmp_path / "kept"), "--host", host, "--port", port,
            "--workers", "1",
        ]  # fmt: skip
        with (tmp_path / "server.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        started.append(process)

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_that_comes_back_gets_what_it_missed(search, nobody, server, shown, eventually):
    tracker = MlflowTracker(search.run_dir, nobody, "vaesearch")
    tracker.start()
    search.start("mlp", "deconv").pull("mlp", float("-inf"), float("nan"))
    eventually(lambda: load_cursor(search.run_dir, nobody, "vaesearch").error)
    server(nobody)
    eventually(lambda: load_cursor(search.run_dir, nobody, "vaesearch").sent, seconds=120)
    search.pull("deconv", -1.0).draw("deconv").finish("deconv")
    assert tracker.close(PATIENCE) is None
    there = shown(nobody)
    assert there.parent.info.status == "FINISHED"
    assert len(there.history("mlp", "reward")) == 2
    assert there.files("deconv", "images") == ["images/picture.png"]
    assert there.files(None, "plots") == ["plots/picture.png"]
