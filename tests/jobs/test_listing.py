"""Jobs as a head tells of them."""

import pytest

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.asking import NoAnswerError
from vaesearch.jobs.heads import Head
from vaesearch.jobs.listing import Job, find_job, get_job, get_log, list_jobs, ours, request_stop


@pytest.fixture
def known(head):
    head.add("first")
    head.add("second", start_time=5000, metadata={}, entrypoint="echo hi")
    head.add("third", submission_id=None, job_id="03000000", start_time=None, metadata=None)
    return Head(head.url, head.ray_version)


def test_the_newest_is_first(known):
    jobs = list_jobs(known)
    assert [job.id for job in jobs] == ["second", "first", "03000000"]
    assert [job.id for job in ours(jobs)] == ["first"]
    assert jobs[0].command == "echo hi"
    assert (jobs[1].command, jobs[1].run_dir, jobs[1].user) == (
        "vaesearch bandit",
        "/runs/x",
        "me",
    )
    assert jobs[1].to_dict()["started"] == 1.0


@pytest.mark.parametrize(
    ("status", "code", "ends"),
    [
        ("RUNNING", None, None), ("SUCCEEDED", 0, 0), ("STOPPED", None, 130), ("FAILED", 2, 2),
        ("FAILED", 1, 1), ("FAILED", 130, 130), ("FAILED", None, 1), ("FAILED", -9, 1),
    ],
)  # fmt: skip
def test_the_end_of_a_job_is_that_of_its_command(status, code, ends):
    assert Job("x", status, exit_code=code).exit_status == ends


def test_one_job(known, head):
    head.logs["first"] = "hello\n"
    assert find_job(known, "fir").id == "first"
    assert get_job(known, "first").status == "RUNNING"
    assert get_log(known, "first") == "hello\n"
    request_stop(known, "first")
    assert get_job(known, "first").status == "STOPPED"
    with pytest.raises(InputError, match="knows no job zeroth"):
        get_job(known, "zeroth")


def test_a_head_in_trouble(known, head):
    head.answers["/api/jobs/"] = (500, "Traceback\nValueError: oh")
    with pytest.raises(VaesearchError, match="status 500: ValueError: oh"):
        list_jobs(known)
    head.answers["/api/jobs/"] = (503, "")
    with pytest.raises(NoAnswerError):
        list_jobs(known)
    head.answers["/api/jobs/"] = (200, "{}")
    with pytest.raises(VaesearchError, match="no list of jobs"):
        list_jobs(known)
