"""What the commands that search have in common: a live view, and how the end is told."""

import json
from collections.abc import Callable
from typing import Any

import click

from vaesearch.cli.places import RUNS, Place
from vaesearch.cli.terminal import Session

__all__ = ["RUNS", "run_session"]


def run_session(path: Place, as_json: bool, search: Callable[[Session], Any]) -> None:
    """Run ``search`` with a live view, and say how it ended."""
    from vaesearch.search.run_dir import RunDir

    with Session(path, as_json=as_json) as session:
        state = search(session)
    if as_json:
        written = json.loads(RunDir(path).results.read_text())
        click.echo(json.dumps(written | {"run_dir": str(path)}, indent=2))
    else:
        session.close(state)
