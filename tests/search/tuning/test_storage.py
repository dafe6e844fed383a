"""Storages and studies that cannot be used are refused in a line, before anything is written."""

import multiprocessing
import socket
import sqlite3
import threading
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from story import SPACE, Story
from studies import claim_one, key, told, written

from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.search.tuning import addresses
from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.storage import check, claim_at, opened
from vaesearch.search.tuning.study import StudyTakenError
from vaesearch.space import Space

OTHER = Path("/runs/two")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "--storage nonsense is no database address: write sqlite:///FILE.db or"),
        ("redis://h/0", "redis is none of sqlite, postgresql"),
        ("postgresql+zz://h/d", "no such driver: postgresql+zz"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://u:s3cret#@h:x/db", "--storage postgresql://***@h:x/db is no database"),
        ("mssql://u:s3cret@h/d?password=s3cret", "mssql://u:***@h/d?password=***: mssql is none"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(text, said):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def without(monkeypatch, *drivers):
    missing = {f"postgresql+{driver}": driver for driver in drivers}
    real = addresses._missing
    monkeypatch.setattr(
        addresses,
        "_missing",
        lambda url: missing.get(f"postgresql+{url.get_driver_name()}") or real(url),
    )


def test_a_missing_driver_is_named_with_how_to_get_it(monkeypatch):
    without(monkeypatch, "psycopg", "psycopg2")
    with pytest.raises(InputError, match=r"needs psycopg, .*: pip install 'vaesearch\[postgresql"):
        parse("postgresql+psycopg://u:s3cret@h/d")
    with pytest.raises(InputError, match="needs psycopg"):
        parse("postgresql://h/d")


def test_any_driver_that_is_there_serves_a_plain_address(monkeypatch):
    default = sqlalchemy.make_url("postgresql://h/d").get_driver_name()
    other = {"psycopg": "psycopg2", "psycopg2": "psycopg"}[default]
    pytest.importorskip(other)
    without(monkeypatch, default)
    assert parse("postgresql://u:p@h/d").text == f"postgresql+{other}://u:p@h/d"


def test_connections_end_instead_of_hanging_unless_the_address_says_otherwise():
    limits = parse("postgresql+psycopg://h/d?connect_timeout=60").engine["connect_args"]
    assert "connect_timeout" not in limits
    assert limits["options"] == "-c statement_timeout=20000"


def test_a_closed_port_is_refused():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(InputError, match=rf"u:\*\*\*@127.0.0.1:{port}/d: .*refused"):
            check(parse(f"postgresql://u:s3cret@127.0.0.1:{port}/d"))


def test_another_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "mlflow.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE experiments (id INTEGER)")
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="is no Optuna storage: it holds alembic_version"):
        check(parse(f"sqlite:///{path}"))
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(InputError, match="file is not a database"):
        check(parse(f"sqlite:///{path}"))
    with pytest.raises(InputError, match="there is no folder"):
        check(parse(f"sqlite:///{tmp_path}/no/study.db"))


def test_checking_makes_no_file(tmp_path):
    check(parse(f"sqlite:///{tmp_path}/study.db"))
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_optuna_are_refused(url, database):
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version SET version_num = 'v9.0.0'")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="another version of Optuna"), opened(parse(url)):
        pass


def test_the_name_of_another_search_is_refused(url):
    first = Story("1" * 16, study="mine").example()
    before = told(written(first, url))
    with pytest.raises(StudyTakenError) as caught:
        claim_at(parse(url), key(Story("2" * 16, study="mine"), OTHER))
    said = str(caught.value)
    assert said.startswith("study 'mine' is of another search, 11111111 in /runs/one.\n")
    assert "another --study" in said
    assert "vaesearch resume /runs/one" in said
    assert "--from /runs/one" in said
    assert told(written(first, url)) == before


def test_another_space_is_mentioned(url):
    written(Story("1" * 16, study="mine"), url)
    other = Space(SPACE.parameters[:1])
    with pytest.raises(StudyTakenError, match="and of another space"):
        claim_at(parse(url), key(Story("2" * 16, study="mine"), OTHER, other))


def test_a_study_of_ones_own_is_left_alone(url):
    escaped = url.replace("{", "{{").replace("}", "}}")
    study = optuna.create_study(study_name="mine", storage=escaped)
    study.add_trial(optuna.create_trial(value=1.0))
    for anew in (True, False):
        with pytest.raises(StudyTakenError, match="of no search of vaesearch"):
            claim_at(parse(url), key(Story(study="mine")), anew=anew)


def test_what_a_search_left_that_died_at_its_start_is_taken_over(url):
    claim_at(parse(url), key(Story("1" * 16, study="mine")))
    with pytest.raises(StudyTakenError):
        claim_at(parse(url), key(Story("2" * 16, study="mine"), OTHER))
    claim_at(parse(url), key(Story("3" * 16, study="mine")))
    with opened(parse(url)) as storage:
        [study] = storage.get_all_studies()
    assert study.user_attrs["search_id"] == "3" * 16


@pytest.mark.slow
def test_of_processes_that_start_at_one_moment_one_gets_the_name(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate, outcomes = context.Barrier(3), context.Queue()
    url = f"sqlite:///{tmp_path}/study.db"  # whose tables they make at that moment, too
    processes = [
        context.Process(target=claim_one, args=(url, n, gate, outcomes)) for n in range(3)
    ]
    for process in processes:
        process.start()
    found = sorted(outcomes.get(timeout=50) for _ in processes)
    for process in processes:
        process.join()
    assert found == ["StudyTakenError", "StudyTakenError", "won"]


def test_a_server_that_lets_one_in_and_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr("vaesearch.search.tuning.storage.PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(InputError, match="does not answer"):
            check(parse(f"postgresql://u:s3cret@127.0.0.1:{port}/d?connect_timeout=2"))
    for thread in threading.enumerate():
        if thread.name == "optuna-storage":
            thread.join()


def test_the_address_of_a_file_does_not_depend_on_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TuneConfig(storage="sqlite:///study.db").resolved(images=100, channels=1)
    assert config.storage == f"sqlite:///{tmp_path}/study.db"
