"""Ray's client, kept to the head and the token that were found."""

import pytest
from fake_head import FakeHead

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.asking import NoAnswerError
from vaesearch.jobs.client import Tail, send
from vaesearch.jobs.heads import Head

JOB = {"submission_id": "job", "entrypoint": "true", "runtime_env": {}, "metadata": {}}
TOKEN_MODE = "ray._private.authentication.authentication_utils.is_token_auth_enabled"


@pytest.fixture
def known(head):
    return Head(head.url, head.ray_version)


def test_no_token_goes_to_a_head_that_wants_none(known, head, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "s3cret")
    monkeypatch.setattr(TOKEN_MODE, lambda: True)
    head.answers["/api/jobs/"] = (200, {"job_id": "job", "submission_id": "job"})
    send(known, JOB)
    assert {headers.get("authorization") for *_, headers in head.asked} == {""}


def test_a_token_goes_where_it_is_wanted(locked):
    locked.answers["/api/jobs/"] = (200, {"job_id": "job", "submission_id": "job"})
    send(Head(locked.url, locked.ray_version, {"Authorization": "Bearer s3cret"}), JOB)
    assert {headers["authorization"] for *_, headers in locked.asked} == {"Bearer s3cret"}


def test_a_token_goes_nowhere_else(locked, head, monkeypatch):
    monkeypatch.setenv("http_proxy", head.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    locked.answers["/api/jobs/"] = (307, head.url + "/api/jobs/")
    with pytest.raises(VaesearchError, match="redirects to"):
        send(Head(locked.url, locked.ray_version, {"X-Ray-Authorization": "Bearer s3cret"}), JOB)
    assert head.asked == []


def test_the_environment_leads_nowhere_else(known, head, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:9")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:9")
    head.answers["/api/jobs/"] = (200, {"job_id": "job", "submission_id": "job"})
    send(known, JOB)
    assert head.asked[-1][:2] == ("POST", "/api/jobs/")


def test_refusals(known, head):
    head.answers["/api/jobs/"] = (400, "ValueError: Job with submission_id job already exists.")
    with pytest.raises(InputError, match="choose another --id"):
        send(known, JOB)
    head.answers["/api/jobs/"] = (500, "Traceback ...\nOSError: the disk of the head is full\n")
    with pytest.raises(VaesearchError, match="the disk of the head is full"):
        send(known, JOB)
    with pytest.raises(InputError, match="Ray cannot send this job"):
        send(known, JOB | {"runtime_env": {"working_dir": 5}})


def test_a_head_that_goes_while_it_is_sent():
    with FakeHead() as gone:
        lost = Head(gone.url, gone.ray_version)
    with pytest.raises(NoAnswerError, match=r"(?s)was lost .*whether it has job"):
        send(lost, JOB)


def test_a_connection_that_is_refused(known):
    tail = Tail(known, "job")
    try:
        with pytest.raises(NoAnswerError, match="the connection is lost"):
            tail.read(10.0)
    finally:
        tail.close()
