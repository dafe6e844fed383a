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
from vaesearch.tracking.uris import without_password


def refuse_used(run_dir: RunDir, config: Config) -> None:
    """A directory that holds a search already is resumed or left alone, never overwritten."""
    if not run_dir.ledger.exists() and run_dir.results.exists():
        raise RunDirError(f"{run_dir.address} holds other results: choose another --run-dir.")
    if _same_search(run_dir, config) is not None:
        raise RunDirError(
            f"{run_dir.address} holds this search already; `{_resume_it(run_dir)}` goes on."
        )


def changes_here(run_dir: RunDir, config: Config) -> dict[str, Any] | None:
    """How to go on with this search, if it is in ``run_dir``: what it is to use here instead.

    Returns:
        Options as for :func:`~vaesearch.api.resuming.resume`, none for a search that is
        finished; None where there is no search yet.

    Raises:
        RunDirError: another search is there.
        StorageError: the storage does not answer.
    """
    run_dir.fetch()
    differs = _same_search(run_dir, config)
    if differs is None:
        return None
    if fold(read_ledger(run_dir.ledger), Budget()).finished:
        return {}  # what may differ gives it nothing more to do
    names = dict.fromkeys([*differs, *_secrets(config)])
    return {name: value for name in names if (value := getattr(config, name)) is not None}


def _secrets(config: Config) -> list[str]:
    """The addresses with a password, which is not kept: it has to be given again."""
    uris = {name: getattr(config, name, None) for name in ("storage", "tracking_uri")}
    return [name for name, uri in uris.items() if uri and uri != without_password(uri)]


def _same_search(run_dir: RunDir, config: Config) -> list[str] | None:
    """The options by which a search there differs, of those that may; None if there is none.

    Raises:
        RunDirError: it differs by others.
    """
    events = read_ledger(run_dir.ledger) if run_dir.ledger.exists() else []
    if not events:
        return None  # at most killed before its first line: nothing is lost
    before = fold(events, Budget()).config
    found = list(difference(before, config))
    differs = [k for k in found if k not in (*PLACES, *STORED)]
    if differs:
        shown = ", ".join(f"{k} {before.get(k)} there, {getattr(config, k)} here" for k in differs)
        raise RunDirError(
            f"{run_dir.address} was made by another configuration ({shown}).\n"
            f"Choose another --run-dir, or go on with that one: {_resume_it(run_dir)}"
        )
    return found


def _resume_it(run_dir: RunDir) -> str:
    return f"vaesearch resume {shlex.quote(run_dir.address)}"


def refuse_shared(run_dir: RunDir) -> None:
    """A shared encoder has a configuration, but no ledger to go on from."""
    if run_dir.ledger.exists() or not run_dir.config.exists():
        return
    if load_yaml(run_dir.config).get("shared_encoder"):
        again = f"vaesearch bandit --config {shlex.quote(str(run_dir.config))} --run-dir NEW"
        raise RunDirError(
            f"{run_dir.address} is of --shared-encoder, which cannot be resumed; anew: {again}"
        )


def difference(before: dict[str, Any], config: Config) -> dict[str, Any]:
    """The options that ``config`` has otherwise."""
    return {k: v for k, v in plain(config).items() if before.get(k) != v}
