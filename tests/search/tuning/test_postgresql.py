"""Studies on a real PostgreSQL server."""

import json
import threading
from pathlib import Path

import optuna
import postgresql
import pytest
from sqlalchemy.exc import IntegrityError
from story import Story
from studies import key, mirror, shown, storage_of, told, written

from vaesearch.api import resume, run_search, sync_study
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError, VaesearchError
from vaesearch.search.ledger import read_ledger
from vaesearch.search.tuning import mirroring
from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.storage import check, claim_at
from vaesearch.search.tuning.study import StudyTakenError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    # What was open when a server was stopped is left to the garbage collector by SQLAlchemy.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <function BaseConnection"),
    pytest.mark.filterwarnings("ignore:<psycopg.Connection:ResourceWarning"),
]
TINY = TuneConfig(
    dataset="digits", backend="local", image_size=8, width=0.1, decoders="mlp", trials=3,
    epochs=8, tracking_uri="none",
)  # fmt: skip


@pytest.fixture(scope="module")
def server():
    if missing := postgresql.missing():
        pytest.skip(f"PostgreSQL's programs are not there: {', '.join(missing)}")
    running = postgresql.Server()
    yield running
    running.close()


@pytest.fixture
def remote(server, request):
    """An empty database; its address names no driver, as people write it."""
    name = "t" + str(abs(hash(request.node.name)))
    return server.make_database(name)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(mirroring, "PAUSE", 0.0)
    monkeypatch.setattr(mirroring, "LONGEST_WAIT", 0.2)


def psycopg(url):
    return parse(url).text  # Optuna is told which driver is there


def test_a_study_is_the_same_as_in_a_file(remote, url):
    story = Story().example().ended()
    on_server = told(written(story, psycopg(remote)))
    assert on_server == told(written(story, url))
    assert told(written(story.resume().finish(0), psycopg(remote))) == on_server


def test_wrong_password_and_closed_port_are_said_without_the_password(server):
    with pytest.raises(InputError, match="password authentication failed") as caught:
        check(parse(server.url(password="wr0ng")))
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(InputError, match="refused"):
        check(parse(server.url().replace(str(server.port), "1")))


def test_a_database_of_something_else_is_refused(remote):
    import sqlalchemy

    engine = sqlalchemy.create_engine(psycopg(remote))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE experiments (id INTEGER)"))
    engine.dispose()
    with pytest.raises(InputError, match="is no Optuna storage: it holds experiments"):
        check(parse(remote))


def test_of_threads_that_start_at_one_moment_one_gets_the_name(remote):
    gate, outcomes = threading.Barrier(4), []

    def claim(number):
        story = Story(f"{number:016x}", study="mine")
        gate.wait()
        try:
            claim_at(parse(remote), key(story, Path("/runs", str(number))))
        except StudyTakenError:
            outcomes.append("taken")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["taken", "taken", "taken", "won"]


def test_a_server_that_stops_and_starts_again_gets_all_of_it(server, remote):
    story = Story()
    follower = mirror(story, psycopg(remote))
    follower.start(story.events, story.state)
    story.add().pull(0, 5.0)
    while not _trials(remote):
        threading.Event().wait(0.05)
    server.stop()
    try:
        story.pull(0, 4.0).add().pull(1, 6.0)
        while not follower._error:
            threading.Event().wait(0.05)
    finally:
        server.start()
    story.cut(1).appraise(0, bpd=4.1).finish(0)
    assert follower.close(60.0) is None
    study = shown(psycopg(remote), story.config.study)
    assert told(study) == told(written(Story("f" * 16).add().pull(0, 5.0).pull(0, 4.0).add()
                                       .pull(1, 6.0).cut(1).appraise(0, bpd=4.1).finish(0),
                                       psycopg(remote)))  # fmt: skip


def _trials(remote):
    try:
        storage = storage_of(psycopg(remote))
    except IntegrityError:  # the follower was making the tables at the same moment
        return []
    names = optuna.get_all_study_names(storage)
    return names and shown(psycopg(remote), names[0]).trials


def test_searches_at_one_time_have_a_study_each(remote, tmp_path):
    failures = []

    def search(seed):
        try:
            run_search(TINY.changed(storage=remote, seed=seed), tmp_path / str(seed))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for seed in (1, 2):
        _agrees(tmp_path / str(seed), remote)
    assert len(optuna.get_all_study_names(storage_of(psycopg(remote)))) == 2
    second = TINY.changed(storage=remote, study=_name(tmp_path / "1"))
    with pytest.raises(StudyTakenError, match="is of another search"):
        run_search(second, tmp_path / "3")
    assert not (tmp_path / "3").exists()


def test_a_search_goes_on_though_its_server_stops(server, remote, tmp_path, monkeypatch):
    notes = []

    def stop(event, state):
        if event.kind == "pull_finished" and state.history.spent == 3:
            server.stop()

    path = tmp_path / "run"
    run_search(TINY.changed(storage=remote), path, observers=[stop], note=notes.append)
    server.start()
    [said] = [note for note in notes if "does not have all of this search" in note]
    assert f"`vaesearch sync {path}` sends the rest." in said
    assert postgresql.PASSWORD not in said
    with pytest.raises(VaesearchError, match="set PGPASSWORD"):
        sync_study(path)  # the run directory keeps none
    monkeypatch.setenv("PGPASSWORD", postgresql.PASSWORD)
    sync_study(path)
    _agrees(path, remote)
    resume(path, changes={"epochs": 12})
    _agrees(path, remote)


def _name(path):
    return read_ledger(path / "ledger.jsonl")[0].config["study"]


def _agrees(path, remote):
    """The study and the results name the same best trial."""
    found = json.loads((path / "results.json").read_text())
    study = shown(psycopg(remote), _name(path))
    assert study.best_trial.user_attrs["arm"] == found["best_arm"]
    assert {trial.state.name for trial in study.trials} <= {"COMPLETE", "PRUNED"}
