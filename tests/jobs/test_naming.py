"""Names of jobs."""

import pytest

from vaesearch.errors import InputError
from vaesearch.jobs.naming import check_id, find_id, job_id

KNOWN = ["vaesearch-bandit-mnist-aa11", "vaesearch-bandit-digits-bb22", "raysubmit_x"]


def test_made_of_what_runs():
    assert job_id("bandit", "cifar10", "ab12cd") == "vaesearch-bandit-cifar10-ab12cd"
    assert job_id("resume", "", "ab12cd") == "vaesearch-resume-ab12cd"
    assert check_id(job_id("tune", "été/" + "x" * 99 + ".npz", "ab12cd"))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "a" * 81, "é"])
def test_not_every_name_will_do(name):
    with pytest.raises(InputError, match="--id"):
        check_id(name)


def test_a_beginning_is_enough():
    assert find_id("vaesearch-bandit-m", KNOWN) == KNOWN[0]
    assert find_id("raysubmit_x", [*KNOWN, "raysubmit_xy"]) == "raysubmit_x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vaesearch-", "beginning of 2 jobs: vaesearch-bandit-mnist-aa11, vaesearch-bandit-d"),
        ("bb22", "did you mean vaesearch-bandit-digits-bb22"),
        ("vaesearch-bandit-mnits-aa11", "did you mean vaesearch-bandit-mnist-aa11"),
        ("zzz", "`vaesearch jobs --all`"),
        ("", "`vaesearch jobs --all`"),
    ],
)
def test_others_are_named(text, said):
    with pytest.raises(InputError) as caught:
        find_id(text, KNOWN)
    assert said in str(caught.value)
