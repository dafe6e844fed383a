"""``vaesearch ui``: what it prints, and whether it opens anything."""

import pytest
from click.testing import CliRunner

from vaesearch.cli import browser, tracking
from vaesearch.errors import VaesearchError
from vaesearch.events import SearchStarted
from vaesearch.search.ledger import Ledger
from vaesearch.tracking import looking
from vaesearch.tracking.pages import Pages

SERVER = "http://mlflow.example:5000"


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """The pages that a browser was told to open; there is a screen here."""
    found = []
    monkeypatch.setattr("click.launch", found.append)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return found


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "first"
    path.mkdir()
    ledger = Ledger(path / "ledger.jsonl")
    config = {"dataset": "digits", "tracking_uri": f"{SERVER}/"}
    ledger.append(SearchStarted("id-1", "0.1.0", config, {}))
    ledger.close()
    return path


def ui(*words):
    return CliRunner().invoke(tracking.ui, [str(word) for word in words])


@pytest.fixture
def there(monkeypatch):
    pages = Pages("7", "parent", "id-1", ("a", "b"))
    monkeypatch.setattr(looking, "find_pages", lambda *_: pages)
    return pages


def test_a_run_on_a_server_is_opened_where_its_arms_are_compared(run, there, opened):
    said = ui(run).output
    for page in (there.parent, there.listing, there.comparison):
        assert f"{SERVER}/{page}" in said
    assert opened == [f"{SERVER}/{there.comparison}"]


def test_no_browser_is_opened_if_told_so_or_over_ssh(run, there, opened, monkeypatch):
    ui(run, "--no-browser")
    monkeypatch.setenv("SSH_CONNECTION", "a b")
    ui(run)
    assert opened == []
    ui(run, "--browser")
    assert len(opened) == 1


def test_a_run_that_was_not_sent_is_said_to_be_missing(run, opened, monkeypatch):
    monkeypatch.setattr(looking, "find_pages", lambda *_: None)
    assert f"`vaesearch sync {run}` sends it" in ui(run).output
    assert opened == [SERVER]


def test_a_server_that_is_down_is_named_all_the_same(run, monkeypatch):
    def fail(*_):
        raise VaesearchError("cannot look at MLflow: Connection refused")

    monkeypatch.setattr(looking, "find_pages", fail)
    said = ui(run, "--no-browser")
    assert said.exit_code == 0
    assert SERVER in said.output
    assert "Connection refused" in said.output


def test_a_password_is_not_printed(run, there):
    assert "s3cret" not in ui(run, "--tracking-uri", "http://me:s3cret@host:5000").output


def test_a_database_gets_a_server_that_replaces_this_process(run, there, monkeypatch, tmp_path):
    (tmp_path / "mlflow.db").touch()
    replaced = []
    monkeypatch.setattr("os.execv", lambda program, words: replaced.append(words))
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    said = ui(run, "--tracking-uri", uri, "--port", 0, "--no-browser").output
    assert f"/{there.comparison}" in said
    assert replaced[0][-1] == "1"
    assert uri in replaced[0]


def test_a_page_is_opened_once_its_server_listens(opened):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        assert browser.open_when_up("http://x", server.getsockname()[1])
    assert opened == ["http://x"]
    assert not browser.open_when_up("http://x", 1, patience=0.0)
