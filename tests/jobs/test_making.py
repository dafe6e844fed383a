"""A job as Ray gets it."""

import json
import subprocess
import sys

import pytest

import vaesearch
from vaesearch.errors import InputError
from vaesearch.jobs.inner import Inner, Option
from vaesearch.jobs.luggage import Luggage, packed
from vaesearch.jobs.making import Wishes, env_of, make_request, pip_of
from vaesearch.space.shipped import shipped_spaces


def made(tmp_path, inner, wishes=None, luggage=None):
    folder = tmp_path / "stage"
    folder.mkdir()
    luggage = luggage or Luggage(inner)
    return make_request(luggage, ["bandit", "--x"], "mnist", "2.60.0", wishes or Wishes(), folder)


def test_the_package_goes_with_its_spaces_and_without_the_rest(tmp_path):
    request = made(tmp_path, Inner("bandit"))
    (sent,) = request.arguments["runtime_env"]["py_modules"]
    listing = (
        "import sys, vaesearch; from vaesearch.space.shipped import shipped_spaces;"
        "print(vaesearch.__file__, *sorted(shipped_spaces()))"
    )
    environ = {"PYTHONPATH": sent.removesuffix("/vaesearch"), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-B", "-c", listing], env=environ, capture_output=True, text=True
    )
    assert done.stdout.split() == [f"{sent}/__init__.py", *sorted(shipped_spaces())]
    found = list((tmp_path / "stage" / "vaesearch").rglob("*"))
    assert not [path for path in found if path.suffix == ".pyc" or path.name == "tests"]
    work = tmp_path / "stage" / "work"
    assert sorted(p.name for p in work.iterdir()) == ["vaesearch_job.json", "vaesearch_job.py"]


def test_what_ray_is_told(tmp_path):
    wishes = Wishes(
        id="mine", pip=("x==1",), env={"A": "secret"}, cpus=2.0, memory=5, resources={"disk": 1.0}
    )
    request = made(tmp_path, Inner("bandit", (Option("run_dir", "--run-dir", ("/r",)),)), wishes)
    told = request.arguments
    assert (request.id, request.run_dir) == ("mine", "/r")
    assert told["entrypoint"].endswith("vaesearch_job.py bandit --run-dir=/r")
    assert told["runtime_env"]["env_vars"]["A"] == "secret"
    assert told["runtime_env"]["pip"] == ["x==1"]
    assert told["entrypoint_num_cpus"] == 2.0
    assert told["entrypoint_resources"] == {"disk": 1.0}
    metadata = told["metadata"]
    assert (metadata["vaesearch"], metadata["command"]) == (
        vaesearch.__version__,
        "vaesearch bandit --x",
    )
    assert metadata["run_dir"] == "/r"
    assert "secret" not in repr(request) + repr(wishes) + json.dumps(metadata)


def test_a_driver_without_wishes_asks_for_nothing(tmp_path):
    told = made(tmp_path, Inner("resume")).arguments
    assert [value for name, value in told.items() if name.startswith("entrypoint_")] == [None] * 4


def test_runs_get_names_of_their_own(tmp_path):
    request = made(tmp_path, Inner("bandit"))
    assert request.id.startswith("vaesearch-bandit-mnist-")
    assert request.run_dir.startswith("$VAESEARCH_RUNS/mnist-")
    assert request.id[-6:] == request.run_dir[-6:]
    told = json.loads((tmp_path / "stage/work/vaesearch_job.json").read_text())
    assert told["run_name"] == request.run_dir.removeprefix("$VAESEARCH_RUNS/")
    assert told["own_data_dir"] is True


def test_files_lie_where_the_options_say(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"x")
    luggage = packed(Inner("bandit", (Option("dataset", "--dataset", ("x.npz",)),)), {}, tmp_path)
    made(tmp_path, luggage.inner, luggage=luggage)
    assert (tmp_path / "stage" / "work" / luggage.inner.first("dataset")).read_bytes() == b"x"


def test_variables_and_packages(tmp_path):
    with pytest.raises(InputError, match="--env X: it is not set here"):
        env_of(("X",), {})
    with pytest.raises(InputError, match="KEY=VALUE"):
        env_of(("a b=1",), {})
    (tmp_path / "r.txt").write_text("# those\nx==1  # why\n\n--index-url http://i\n")
    assert pip_of(("y", "r.txt"), tmp_path) == ("y", "x==1", "--index-url http://i")
    with pytest.raises(InputError, match=r"--pip gone\.txt cannot be read"):
        pip_of(("gone.txt",), tmp_path)
