"""The program of a job, on machines that have what it needs and on others."""

import ast
import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from vaesearch.jobs import package, starter
from vaesearch.jobs.starter import kept, package_fault, placed, python_fault


def notes(**more):
    return {
        "python": list(sys.version_info[:2]), "least_python": [3, 11], "ray": version("ray"),
        "needs": package.needs(), "other_versions": False, "run_dir": "/runs/x", "run_name": "",
        "must_exist": [], "kept": [], "own_data_dir": False,
    } | more  # fmt: skip


def test_it_needs_nothing_but_python():
    text = Path(starter.__file__).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    names = {name.partition(".")[0] for name in names}
    assert names <= set(sys.stdlib_module_names)


def test_this_machine_will_do():
    assert python_fault(notes(), sys.version_info[:2]) == ""
    assert package_fault(notes()) == ""


def test_pythons():
    assert "needs 3.11 or later" in python_fault(notes(), (3, 9))
    assert "needs 3.11 or later" in python_fault(notes(other_versions=True), (3, 9))
    assert "--other-versions" in python_fault(notes(python=[3, 11]), (3, 12))
    assert python_fault(notes(python=[3, 11], other_versions=True), (3, 12)) == ""


def test_packages():
    wanted = [["numpy", "2.0"], ["no-such-thing", "1.0"], ["ray", "99.1"]]
    text = package_fault(notes(needs=wanted))
    assert f"lacks no-such-thing (missing), ray {version('ray')} (needs 99.1)" in text
    assert text.count("\n") == 1
    assert "and its head runs 1.2.3" in package_fault(notes(ray="1.2.3"))
    assert package_fault(notes(ray="1.2.3", other_versions=True)) == ""


def test_a_run_goes_where_the_cluster_says(monkeypatch, capsys):
    monkeypatch.delenv("VAESEARCH_RUNS", raising=False)
    words, fault = placed(["bandit"], notes(run_dir="", run_name="mnist-1"))
    assert "--run-dir s3://BUCKET/runs/mnist-1" in fault
    monkeypatch.setenv("VAESEARCH_RUNS", "runs")
    assert placed(["bandit"], notes(run_dir="", run_name="mnist-1"))[1] == fault
    for runs in ("s3://bucket/runs/", "/shared/runs"):
        monkeypatch.setenv("VAESEARCH_RUNS", runs)
        words, fault = placed(["bandit"], notes(run_dir="", run_name="mnist-1"))
        where = f"{runs.rstrip('/')}/mnist-1"
        assert (words, fault) == (["bandit", f"--run-dir={where}"], "")
        assert f"Run directory: {where}\n" in capsys.readouterr().out


def test_data_sets_are_kept_where_the_next_job_finds_them(monkeypatch):
    monkeypatch.setenv("VAESEARCH_DATA", "/data")
    assert placed(["bandit"], notes(own_data_dir=True))[0] == ["bandit", "--data-dir=/data"]
    monkeypatch.delenv("VAESEARCH_DATA")
    monkeypatch.setenv("VAESEARCH_CACHE", "/cache")
    assert placed(["bandit"], notes(own_data_dir=True))[0] == ["bandit", "--data-dir=/cache/data"]


def test_a_path_that_only_the_sender_has(tmp_path):
    there = tmp_path / "x.npz"
    said = notes(must_exist=[["--dataset", str(there)]])
    text = placed(["bandit"], said)[1]
    assert f"--dataset {there}: there is no such file where the search runs" in text
    assert "relative path" in text
    there.touch()
    assert placed(["bandit"], said) == (["bandit"], "")


@pytest.mark.parametrize("value", ["sent/ab/x.npz", "sent/ab"])
def test_files_outlive_the_job(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent" / "ab").mkdir(parents=True)
    (tmp_path / "sent" / "ab" / "x.npz").write_text("images")
    runs = tmp_path / "runs"
    word = kept(f"--dataset={value}", [value], str(runs / "first"))
    assert word == f"--dataset={runs}/.sent/ab{value.removeprefix('sent/ab')}"
    assert (runs / ".sent" / "ab" / "x.npz").read_text() == "images"
    assert [path.name for path in (runs / ".sent").iterdir()] == ["ab"]
    assert kept(f"--dataset={value}", [value], str(runs / "second")) == word
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    word = kept(f"--dataset={value}", [value], "s3://bucket/runs/x")
    assert word.startswith(f"--dataset={tmp_path}/cache/sent/ab")
    assert kept("--seed=1", [value], "/runs") == "--seed=1"


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent" / "ab").mkdir(parents=True)
    (tmp_path / "file").touch()
    said = notes(kept=["sent/ab"], run_dir=str(tmp_path / "file" / "x"))
    assert "cannot be kept" in placed(["bandit", "--dataset=sent/ab"], said)[1]


def test_a_refusal_is_two_lines_and_status_two(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / starter.NOTES).write_text(json.dumps(notes(needs=[["no-such-thing", "1"]])))
    assert starter.main(["bandit"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 2
