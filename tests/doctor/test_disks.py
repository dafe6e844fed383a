import os

import pytest

from vaesearch.doctor.core import Question
from vaesearch.doctor.disks import (
    judge_room,
    judge_shared,
    look_disks,
    look_storage,
    nearest,
    runs_of,
)


def test_where_runs_are(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAESEARCH_RUNS", raising=False)
    assert runs_of(Question()) == "runs"
    assert runs_of(Question(run_dir="a/b")) == str(tmp_path / "a")
    assert runs_of(Question(run_dir="s3://bucket/runs/a/")) == "s3://bucket/runs"
    monkeypatch.setenv("VAESEARCH_RUNS", "s3://bucket/all")
    assert runs_of(Question()) == "s3://bucket/all"


@pytest.mark.parametrize(
    ("free", "few", "state"),
    [(9e9, False, "ok"), (1e9, False, "warning"), (1e8, False, "FAIL"), (9e9, True, "FAIL")],
)
def test_room(tmp_path, free, few, state):
    assert judge_room("runs", tmp_path, free, few).state == state


def test_little_shared_memory():
    assert judge_shared(64e6).cure.endswith("--shm-size=4g")
    assert judge_shared(8e9).state == "ok"


def test_each_disk_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    question = Question(run_dir=str(tmp_path / "a" / "b"), data_dir=str(tmp_path), backend="local")
    found = [f.seen for f in look_disks(question)]
    assert sum("runs, data, cache" in seen for seen in found) == 1
    assert sum("temporary files" in seen for seen in found) == 1


def test_storage_is_tried_and_left_as_it_was(tmp_path):
    [found] = look_storage(Question(run_dir=str(tmp_path / "not" / "yet")))
    assert found.state in ("ok", "warning")
    assert str(tmp_path) in found.seen
    assert list(tmp_path.iterdir()) == []


def test_storage_that_cannot_be_used(tmp_path):
    [found] = look_storage(Question(run_dir="ftps2://x/runs/a"))
    assert found.state == "FAIL"
    assert found.cure


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a place that nobody may write")
def test_storage_that_cannot_be_written():
    [found] = look_storage(Question(run_dir="/proc/runs/a"))
    assert found.state == "FAIL"
    assert "cannot write" in found.seen


def test_the_nearest_folder_that_exists(tmp_path):
    assert nearest(tmp_path / "a" / "b") == tmp_path
