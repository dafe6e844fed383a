"""Run directories that a search must not touch."""

import shlex
from typing import Any

from vaesearch.api.writing import plain
from vaesearch.bandits.core import Budget
from vaesearch.config import PLACES, STORED, Config, load_yaml
from vaesearch.errors import RunDirError
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold


def refuse_used(run_dir: RunDir, config: Config) -> None:
    """A directory that holds a search already is resumed or left alone, never overwritten."""
    if not run_dir.ledger.exists():
        if run_dir.results.exists():
            raise RunDirError(f"{run_dir.path} holds other results: choose another --run-dir.")
        return
    events = read_ledger(run_dir.ledger)
    if not events:
        return  # killed before its first line: nothing is lost
    resume_it = f"vaesearch resume {shlex.quote(str(run_dir.path))}"
    before = fold(events, Budget()).config
    differs = [k for k in difference(before, config) if k not in (*PLACES, *STORED)]
    if differs:
        shown = ", ".join(f"{k} {before.get(k)} there, {getattr(config, k)} here" for k in differs)
        raise RunDirError(
            f"{run_dir.path} was made by another configuration ({shown}).\n"
            f"Choose another --run-dir, or go on with that one: {resume_it}"
        )
    raise RunDirError(f"{run_dir.path} holds this search already; `{resume_it}` goes on.")


def refuse_shared(run_dir: RunDir) -> None:
    """A shared encoder has a configuration, but no ledger to go on from."""
    if run_dir.ledger.exists() or not run_dir.config.exists():
        return
    if load_yaml(run_dir.config).get("shared_encoder"):
        again = f"vaesearch bandit --config {shlex.quote(str(run_dir.config))} --run-dir NEW"
        raise RunDirError(
            f"{run_dir.path} is of --shared-encoder, which cannot be resumed; anew: {again}"
        )


def difference(before: dict[str, Any], config: Config) -> dict[str, Any]:
    """The options that ``config`` has otherwise."""
    return {k: v for k, v in plain(config).items() if before.get(k) != v}
