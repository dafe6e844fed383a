"""A job as Ray is to get it, made ready in a folder."""

import getpass
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import vaesearch
from vaesearch.errors import InputError
from vaesearch.jobs import starter
from vaesearch.jobs.files import stage
from vaesearch.jobs.inner import entrypoint, shown
from vaesearch.jobs.luggage import SEARCHES, Luggage
from vaesearch.jobs.naming import job_id
from vaesearch.jobs.package import LEAST_PYTHON, needs, python, stage_package

SCRIPT = "vaesearch_job.py"
# A search gets a minute to end in order, and is asked as by Ctrl-C: Ray's own handler of SIGTERM
# ends a driver before it can close anything.
_STOPPING = {"RAY_JOB_STOP_WAIT_TIME_S": "60", "RAY_JOB_STOP_SIGNAL": "SIGINT"}


@dataclass(frozen=True)
class Wishes:
    """How a job is to run.

    Attributes:
        id: chosen by the user; made up by default.
        pip: packages to install for the job on every node that works for it.
        env: environment variables of the job and its workers.
        python: interpreter on the cluster.
        cpus: for the driver; with any resources it may run on a worker node, else on the head.
        gpus: likewise.
        memory: likewise, in bytes.
        resources: likewise, by name.
        other_versions: try another Python or Ray than here.
    """

    id: str | None = None
    pip: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    python: str | None = None
    cpus: float | None = None
    gpus: float | None = None
    memory: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    other_versions: bool = False


@dataclass(frozen=True)
class Request:
    """What is sent.

    Attributes:
        id: of the job.
        run_dir: of its command; begins with ``$VAESEARCH_RUNS`` where the cluster decides.
        arguments: of Ray's ``submit_job``.
    """

    id: str
    run_dir: str
    arguments: Mapping[str, Any] = field(repr=False)


def make_request(
    luggage: Luggage,
    typed: Sequence[str],
    dataset: str,
    ray_version: str,
    wishes: Wishes,
    folder: Path,
) -> Request:
    """Put all that travels into ``folder``, and say what to do with it.

    Args:
        luggage: the command, and what goes along.
        typed: the command as the user typed it.
        dataset: a word for names.
        ray_version: of the head.
        wishes: how to run.
        folder: empty; needed until the job is sent.

    Raises:
        InputError: an argument that is no text.
    """
    inner, mark = luggage.inner, secrets.token_hex(3)
    name = wishes.id or job_id(inner.command, dataset, mark)
    run_dir = inner.first("run_dir") or ""
    run_name = ""
    if inner.command in SEARCHES and not run_dir:
        run_name = f"{Path(dataset).stem or 'run'}-{datetime.now():%Y%m%d-%H%M%S}-{mark}"
    work = folder / "work"
    work.mkdir()
    stage(luggage.sent, work)
    shutil.copyfile(starter.__file__, work / SCRIPT)
    notes = {
        "python": python(), "least_python": LEAST_PYTHON, "ray": ray_version, "needs": needs(),
        "other_versions": wishes.other_versions, "run_dir": run_dir, "run_name": run_name,
        "must_exist": luggage.must_exist, "kept": luggage.kept,
        "own_data_dir": inner.command in SEARCHES and not luggage.own_data_dir,
    }  # fmt: skip
    (work / starter.NOTES).write_text(json.dumps(notes, indent=2), encoding="utf-8")
    environment: dict[str, Any] = {
        "working_dir": str(work),
        "py_modules": [str(stage_package(folder))],
        "env_vars": {**_STOPPING, **wishes.env},
    }
    if wishes.pip:
        environment["pip"] = list(wishes.pip)
    place = run_dir or (f"${starter.RUNS}/{run_name}" if run_name else "")
    arguments = {
        "entrypoint": entrypoint(SCRIPT, inner.words, wishes.python),
        "submission_id": name,
        "runtime_env": environment,
        "metadata": {
            "vaesearch": vaesearch.__version__, "command": shown(typed), "run_dir": place,
            "user": _user(),
        },
        "entrypoint_num_cpus": wishes.cpus,
        "entrypoint_num_gpus": wishes.gpus,
        "entrypoint_memory": wishes.memory,
        "entrypoint_resources": dict(wishes.resources) or None,
    }  # fmt: skip
    return Request(name, place, arguments)


def env_of(texts: tuple[str, ...], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables from ``KEY=VALUE``, or from ``KEY`` alone with the value that it has here.

    >>> env_of(("A=1=2", "B"), {"B": "x"})
    {'A': '1=2', 'B': 'x'}

    Raises:
        InputError: no name, or no value here.
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key.isidentifier():
            raise InputError(f"--env {key}: write KEY=VALUE, or KEY for the value it has here.")
        if not equals and key not in environ:
            raise InputError(f"--env {key}: it is not set here; set it, or write {key}=VALUE.")
        found[key] = value if equals else environ[key]
    return found


def pip_of(texts: tuple[str, ...], here: Path) -> tuple[str, ...]:
    """Requirements, and the lines of files of them.

    Raises:
        InputError: a file cannot be read.
    """
    found: list[str] = []
    for text in texts:
        if not text.endswith(".txt"):
            found.append(text)
            continue
        try:
            lines = (here / text).read_text().splitlines()
        except OSError as error:
            raise InputError(f"--pip {text} cannot be read: {error.strerror}.") from error
        found += [line for raw in lines if (line := raw.partition(" #")[0].strip())
                  and not line.startswith("#")]  # fmt: skip
    return tuple(found)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its user
        return ""
