"""Where runs are: paths, or URLs of folders in an object store."""

import os
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from vaesearch.storage import inside, place_of

Place = str | Path  # a URL, or a path
RUNS = Path("runs")


class RunPlace(click.ParamType):  # type: ignore[type-arg]  # only new versions have one
    """A path, or a URL such as ``s3://bucket/runs/first``."""

    name = "path or URL"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        """A URL stays a text: as a path it would lose a slash."""
        return place_of(value)


RUN_PLACE = RunPlace()


def run_dir_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where a new search goes, and what happens if it is there already."""
    where = click.option(
        "--run-dir", type=RUN_PLACE, help="path or URL; default $VAESEARCH_RUNS/DATASET-TIME"
    )
    again = click.option(
        "--or-resume", is_flag=True, help="go on where --run-dir holds this search already"
    )
    return where(again(command))


def runs_root() -> Place:
    """Where runs go that are given no place: ``$VAESEARCH_RUNS``, or ``runs``."""
    return place_of(os.environ.get("VAESEARCH_RUNS") or RUNS)


def new_run_dir(dataset: str) -> Place:
    """``runs/DATASET-TIME``, with more behind it where two may start in one second."""
    stem = Path(dataset).stem or "run"
    name = f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    base = inside(runs_root(), name)
    if isinstance(base, str):  # others may be starting on other machines
        return f"{base}-{uuid.uuid4().hex[:4]}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path
