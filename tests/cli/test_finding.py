"""From what was typed to a run: a directory, or a job of a cluster."""

import pytest
from fake_head import FakeHead
from story import START, Story

from vaesearch.cli import remote
from vaesearch.cli.finding import find_run
from vaesearch.errors import InputError, RunDirError, VaesearchError
from vaesearch.watching import status_of
from vaesearch.watching.status import Upload


@pytest.fixture
def head(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_JOB_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    with FakeHead() as fake:
        yield fake


@pytest.fixture
def there(monkeypatch):
    """What the cluster answers, and what it was asked."""
    story = Story().example()
    status = status_of(
        story.events, story.state, run_dir="/far/x", resume="", alive=True, now=START + 40,
        upload=Upload(False),
    )  # fmt: skip
    asked = []

    def ask(head, luggage, **options):
        asked.append(luggage.inner.words)
        return status.to_dict()

    monkeypatch.setattr(remote, "ask_there", ask)
    return status, asked


def test_a_run_that_only_the_cluster_sees_is_looked_at_there(head, there):
    head.add("bandit-1", metadata={"vaesearch": "1", "run_dir": "/far/x"})
    status, asked = there
    found = find_run("bandit", head.url)()
    assert (found.status, found.state) == (status, None)
    assert asked == [["status", "--json", "/far/x"]]


def test_a_run_that_is_seen_from_here_is_looked_at_here(head, there, searched):
    head.add("bandit-1", metadata={"vaesearch": "1", "run_dir": str(searched)})
    found = find_run("bandit-1", head.url)()
    assert found.status.run_dir == str(searched)
    assert there[1] == []


def test_a_job_without_a_run(head):
    head.add("bandit-1", metadata={"vaesearch": "1", "run_dir": ""})
    with pytest.raises(InputError, match="vaesearch logs bandit-1"):
        find_run("bandit-1", head.url)


def test_a_job_that_is_not_there(head):
    with pytest.raises(VaesearchError, match="bandit-9"):
        find_run("bandit-9", head.url)


def test_what_is_no_directory_may_be_a_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunDirError, match="Of a job: add --address"):
        find_run("bandit-1", None)()
