import tomllib
from pathlib import Path

import pytest

from vaesearch.doctor import versions
from vaesearch.doctor.core import Question
from vaesearch.doctor.versions import NEEDED, OPTIONAL, Need, judge, look_extras, look_packages

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def pairs(lines):
    for line in lines:
        name, _, least = line.partition(">=")
        yield name.partition("[")[0], least


def test_what_is_needed_is_what_the_project_says():
    assert [(n.package, n.least) for n in NEEDED] == list(pairs(PROJECT["dependencies"]))
    extras = PROJECT["optional-dependencies"]
    shown = ("postgresql", "s3", "gcs", "fid")
    assert [(n.package, n.least) for n in OPTIONAL] == [
        pair for extra in shown for pair in pairs(extras[extra])
    ]
    least = ".".join(map(str, versions.PYTHON))
    assert PROJECT["requires-python"] == f">={least}"


@pytest.mark.parametrize(
    ("has", "state"),
    [(None, "FAIL"), ("2.10.9", "FAIL"), ("2.11", None), ("2.11.0+cu128", None), ("3", None)],
)
def test_versions(has, state):
    found = judge(Need("torch", "2.11", "everything"), has)
    assert (found.state if found else None) == state


def test_what_is_missing_and_not_needed_is_a_warning(monkeypatch):
    monkeypatch.setattr(versions, "installed", {"ray": None}.get)
    by_cure = {f.cure: f for f in look_packages(Question())}
    ray = by_cure["pip install 'ray[default]>=2.60'"]
    assert (ray.state, ray.seen) == (
        "warning", "ray is missing, for --backend ray, clusters",
    )  # fmt: skip
    assert by_cure["pip install 'torch>=2.11'"].state == "FAIL"


def test_extras_matter_where_they_are_asked_for(monkeypatch):
    monkeypatch.setattr(versions, "installed", lambda package: None)
    [plain] = look_extras(Question(run_dir="runs/a"))
    assert plain.state == "ok"
    assert "vaesearch[s3]" in plain.seen
    bad, rest = look_extras(Question(run_dir="s3://bucket/runs/a"))
    assert (bad.state, bad.cure) == ("FAIL", "pip install 'vaesearch[s3]'")
    assert "vaesearch[s3]" not in rest.seen
