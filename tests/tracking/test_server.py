"""A real server, on PostgreSQL, that asks for a name and a password."""

import os
import urllib.request
from base64 import b64encode
from urllib.parse import quote

import postgresql
import pytest
from mlflow_servers import ADMIN, PASSWORD, PATIENCE, MlflowServer

from vaesearch.errors import VaesearchError
from vaesearch.tracking.core import MlflowTracker, sync
from vaesearch.tracking.cursor import load_cursor
from vaesearch.tracking.uploader import follow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(postgresql.missing()), reason="no PostgreSQL here"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def database():
    server = postgresql.Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    database.make_database("mlflow")
    store = database.url("mlflow", driver="postgresql+psycopg")
    server = MlflowServer(tmp_path_factory.mktemp("server"), store, secured=True)
    yield server.start()
    server.stop()


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine is not what is tested."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)


def with_user(server, name, password):
    return server.address.replace("://", f"://{name}:{quote(password, safe='')}@")


def drain(search, uri, experiment):
    return follow(search.run_dir, uri, experiment, ended=lambda _: True)


def test_a_password_in_the_address_opens_the_server_and_stays_nowhere(
    search, server, shown, monkeypatch
):
    tracker = MlflowTracker(search.run_dir, with_user(server, ADMIN, PASSWORD), "open")
    tracker.start()
    search.example()
    assert tracker.close(PATIENCE) is None
    written = b"".join(p.read_bytes() for p in search.run_dir.path.rglob("*") if p.is_file())
    assert PASSWORD.encode() not in written
    assert quote(PASSWORD).encode() not in written
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    there = shown(server.address, experiment="open")
    assert len(there.runs) == 5
    assert there.arms["deconv"].data.tags["rank"] == "1"
    assert there.files("mlp", "images") == ["images/picture.png"]
    assert there.experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_wrong_password_is_named_and_the_right_one_sends_the_rest(search, server):
    tracker = MlflowTracker(search.run_dir, with_user(server, ADMIN, "wrong"), "wrong")
    tracker.start()
    search.example()
    said = tracker.close(PATIENCE)
    assert "(401): set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
    assert len(said.splitlines()) == 2
    sync(search.run_dir, with_user(server, ADMIN, PASSWORD), "wrong")
    assert load_cursor(search.run_dir, server.address, "wrong").complete


def test_who_may_only_read_is_told_whom_to_ask(search, other_search, server):
    sync(search.example().run_dir, with_user(server, ADMIN, PASSWORD), "of the admin")
    admin = b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{server.address}/api/2.0/mlflow/users/create",
        b'{"username": "reader", "password": "reads-only-1234"}',
        {"Authorization": f"Basic {admin}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()
    other_search.example()
    with pytest.raises(VaesearchError, match=r"'of the admin'.*\(403\)"):
        sync(other_search.run_dir, with_user(server, "reader", "reads-only-1234"), "of the admin")


def test_postgresql_may_restart_in_the_middle(search, server, database, shown, known, eventually):
    address = server.address
    tracker = MlflowTracker(search.run_dir, address, "restarted")
    tracker.start()
    search.start("mlp", "deconv").pull("mlp", -3.0)
    eventually(lambda: load_cursor(search.run_dir, address, "restarted").sent, PATIENCE)
    database.stop()
    try:
        search.pull("mlp", -2.0).pull("deconv", -1.0)
        eventually(lambda: load_cursor(search.run_dir, address, "restarted").error, PATIENCE)
    finally:
        database.start()
    search.pull("deconv", -0.5).draw("deconv").finish("deconv")
    assert tracker.close(PATIENCE) is None
    assert drain(search, address, "undisturbed")
    disturbed = shown(address, experiment="restarted").everything()
    assert disturbed == shown(address, experiment="undisturbed").everything()


def test_another_machine_without_the_cursor_doubles_nothing(search, server, shown, known):
    assert drain(search.example(), server.address, "moved")
    before = shown(server.address, experiment="moved").everything()
    search.run_dir.tracking_cursor.unlink()
    assert drain(search, server.address, "moved")
    assert shown(server.address, experiment="moved").everything() == before


def test_two_searches_may_make_an_experiment_together(
    search, other_search, server, shown, known, uploader
):
    both = [search.example(), other_search.example()]
    processes = [
        uploader(fake.run_dir, server.address, "--drain", experiment="both") for fake in both
    ]
    assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    for search_id in ("id-1", "id-2"):
        there = shown(server.address, search_id, experiment="both")
        assert len(there.runs) == 5
        assert len(there.everything()) == 5
    assert "MLFLOW_TRACKING_PASSWORD" in os.environ
