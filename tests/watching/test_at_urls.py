"""Runs in an object store, looked at from another machine than the one that works on them."""

import time

import pytest
from searched import copy_of

from vaesearch.doctor.core import Question
from vaesearch.doctor.disks import look_storage
from vaesearch.errors import RunDirError
from vaesearch.search import lease
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.watching import holding, look


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes this process one on another machine, whose cache is empty."""

    def become(name):
        monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / name))

    become("first")
    return become


def test_a_run_is_seen_from_another_machine(bucket, searched, tmp_path, machine):
    url = f"{bucket}/runs/a"
    run = RunDir(url)
    run.create()
    run.lock()
    events = read_ledger(copy_of(searched, tmp_path) / "ledger.jsonl")
    ledger = run.open_ledger()
    for event in events[:-1]:
        ledger.append(event)
    run.deliver()
    machine("second")
    now = time.time()
    assert look(url).status.condition == "running"
    # A process that died leaves its lease: after a while its news count, and in the end nothing.
    assert look(url, lambda: now + holding.FRESH_SECONDS + 60).status.condition == "running"
    assert look(url, lambda: now + 3600).status.condition == "stopped"
    machine("first")
    ledger.append(events[-1])
    ledger.close()
    run.deliver()
    run.unlock()
    machine("third")
    found = look(url).status
    assert (found.condition, found.epochs) == ("finished", 4)


def test_a_run_that_was_let_go_is_stopped(bucket, searched, machine):
    url = f"{bucket}/runs/a"
    run = RunDir(url)
    run.create()
    run.lock()
    ledger = run.open_ledger()
    for event in read_ledger(searched / "ledger.jsonl")[:-1]:
        ledger.append(event)
    ledger.close()
    run.deliver()
    run.unlock()
    machine("second")
    found = look(url).status
    assert (found.condition, found.cure) == ("stopped", f"vaesearch resume {url}")


def test_no_run_at_a_url(bucket, machine):
    with pytest.raises(RunDirError, match="is not a run directory"):
        look(f"{bucket}/runs/none")


def test_a_lease_that_cannot_be_read_says_nothing(bucket, machine):
    run = RunDir(f"{bucket}/runs/a")
    assert holding.beating(run, 0.0) is False
    run.home.folder.write(f"{lease.FOLDER}/000001.json", b"{")
    assert holding.beating(run, 0.0) is None


def test_the_storage_of_runs_is_tried_there(bucket, machine):
    [found] = look_storage(Question(run_dir=f"{bucket}/runs/a"))
    assert found.state in ("ok", "warning")
    assert f"{bucket}/runs can be written" in found.seen
    [bad] = look_storage(Question(run_dir="s3://no-such-bucket-here/runs/a"))
    assert bad.state == "FAIL"
    assert "cannot write" in bad.seen
