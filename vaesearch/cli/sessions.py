"""What the commands that search have in common: where a run goes, and how its end is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vaesearch.cli.terminal import Session

RUNS = Path("runs")


def run_session(path: Path, as_json: bool, search: Callable[[Session], Any]) -> None:
    """Run ``search`` with a live view, and say how it ended."""
    from vaesearch.search.run_dir import RunDir

    with Session(path, as_json=as_json) as session:
        state = search(session)
    if as_json:
        written = json.loads(RunDir(path).results.read_text())
        click.echo(json.dumps(written | {"run_dir": str(path)}, indent=2))
    else:
        session.close(state)


def new_run_dir(dataset: str) -> Path:
    """``runs/DATASET-TIME``, with a number behind it if two start in one second."""
    from datetime import datetime

    stem = Path(dataset).stem or "run"
    base = RUNS / f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path
