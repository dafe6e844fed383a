import sys

import pytest

from vaesearch.errors import InputError
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.cursor import Cursor, load_cursor, save_cursor
from vaesearch.tracking.uris import (
    check_uri,
    connectable,
    default_uri,
    identity,
    is_server,
    redacted,
    ui_command,
    without_password,
)


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:///mlflow.db",
        "sqlite:////tmp/my runs/mlflow.db",
        "postgresql://u:p@host/db",
        "postgresql+psycopg2://u:p@host/db",
        "mysql+pymysql://host/db",
        "mssql+pyodbc://host/db",
        "http://127.0.0.1:5000",
        "https://mlflow.example.org/path",
        "databricks",
        "databricks://profile",
    ],
)
def test_addresses_that_may_work_are_taken(uri):
    check_uri(uri)


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("file:///tmp/mlruns", "sqlite:////tmp/mlruns/mlflow.db"),
        ("file:mlruns", "sqlite:///mlruns/mlflow.db"),
        ("mlruns", "sqlite:///mlruns/mlflow.db"),
        ("/tmp/mlruns/", "sqlite:////tmp/mlruns/mlflow.db"),
        ("", "sqlite:///"),
        ("sqlite:mlflow.db", "sqlite:///PATH"),
        ("sqlite://", "sqlite:///PATH"),
        ("sqlite:///", "sqlite:///PATH"),
        ("htttp://host", "did you mean 'http'"),
        ("ftp://host", "Allowed: "),
        ("http://", "http://HOST:PORT"),
    ],
)
def test_other_addresses_are_refused_with_advice(uri, advice):
    with pytest.raises(InputError, match="tracking-uri") as caught:
        check_uri(uri)
    assert advice in str(caught.value)


def test_the_default_lies_beside_the_run(tmp_path, monkeypatch):
    assert default_uri(RunDir(tmp_path / "a")) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert default_uri(RunDir(tmp_path / "runs/a")) == f"sqlite:///{tmp_path}/runs/mlflow.db"


@pytest.mark.parametrize("name", ["100%41", "what?"])
def test_a_folder_that_no_address_can_name_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="choose another folder"):
        default_uri(RunDir(tmp_path / name / "a"))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:se/cret@host/db", "postgresql://me:***@host/db"),
        ("http://me:se@cret@host:5000", "http://me:***@host:5000"),
        ("http://host:5000", "http://host:5000"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        (
            "postgresql://db/x?user=me&PassWord=secret&sslmode=require",
            "postgresql://db/x?user=me&PassWord=***&sslmode=require",
        ),
    ],
)
def test_a_password_is_never_shown(uri, shown):
    assert redacted(uri) == shown


@pytest.mark.parametrize(
    ("uri", "kept", "named"),
    [
        ("http://me:se:cr@t@host:5000/x", "http://me@host:5000/x", "http://host:5000/x"),
        ("http://me@host", "http://me@host", "http://host"),
        ("http://host:5000/a@b", "http://host:5000/a@b", "http://host:5000/a@b"),
        ("postgresql://me:s/cret@h/db", "postgresql://me@h/db", "postgresql://me@h/db"),
        ("postgresql://me:secret@h/db", "postgresql://me@h/db", "postgresql://me@h/db"),
        (
            "postgresql://me@h/db?password=secret&sslmode=require",
            "postgresql://me@h/db?sslmode=require",
            "postgresql://me@h/db?sslmode=require",
        ),
        ("mysql://h/db?passwd=secret", "mysql://h/db", "mysql://h/db"),
        ("sqlite:////x/mlflow.db", "sqlite:////x/mlflow.db", "sqlite:////x/mlflow.db"),
    ],
)
def test_what_is_kept_of_an_address_and_what_names_a_store(uri, kept, named):
    assert without_password(uri) == kept
    assert identity(uri) == identity(kept) == named


def test_a_password_that_is_no_part_of_an_address_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="%2F for /") as caught:
        check_uri("http://me:s/cret@host:5000")
    assert "cret" not in str(caught.value)


def test_mlflow_finds_a_password_where_it_looks_for_one():
    environment = {"MLFLOW_TRACKING_USERNAME": "other"}
    assert connectable("https://me:s%40t@host/x", environment) == "https://host/x"
    assert environment == {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "s@t"}
    database = "postgresql://me:secret@host/db"
    assert connectable(database, environment) == database


def test_the_ui_is_for_databases_and_for_this_machine():
    command = ui_command("sqlite:////x/mlflow.db", 5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "ui"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    with pytest.raises(InputError, match="open it in a browser"):
        ui_command("http://host:5000")


def test_who_keeps_artifacts():
    assert is_server("https://host")
    assert is_server("databricks")
    assert not is_server("postgresql://host/db")


def test_a_cursor_comes_back_without_its_password(tmp_path):
    run_dir, uri = RunDir(tmp_path), "http://me:secret@host"
    save_cursor(run_dir, Cursor(identity(uri), "e", 5, True, "none"))
    assert load_cursor(run_dir, uri, "e") == Cursor("http://host", "e", 5, True, "none")
    assert load_cursor(run_dir, "http://you@host", "e").sent == 5
    assert "secret" not in run_dir.tracking_cursor.read_text()


@pytest.mark.parametrize(("uri", "experiment"), [("http://b", "e"), ("http://a", "f")])
def test_another_store_starts_over(tmp_path, uri, experiment):
    run_dir = RunDir(tmp_path)
    save_cursor(run_dir, Cursor("http://a", "e", 5))
    assert load_cursor(run_dir, uri, experiment).sent == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"uri": "http://a"}', '{"who": 1}'])
def test_a_damaged_cursor_starts_over(tmp_path, content):
    run_dir = RunDir(tmp_path)
    run_dir.tracking_cursor.write_text(content)
    assert load_cursor(run_dir, "http://a", "e") == Cursor("http://a", "e")


def test_the_server_of_a_cluster_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://head:5000")
    assert default_uri(RunDir(tmp_path / "run")) == "http://head:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert default_uri(RunDir(tmp_path / "run")) == f"sqlite:///{tmp_path}/mlflow.db"
