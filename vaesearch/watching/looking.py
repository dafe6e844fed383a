"""A look at a run, from any machine that sees its directory."""

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vaesearch.bandits.core import Budget
from vaesearch.config import Config, TuneConfig, read_config
from vaesearch.errors import RunDirError
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, fold
from vaesearch.tracking.uris import NO_TRACKING
from vaesearch.watching.holding import beating, held
from vaesearch.watching.status import Status, Upload, status_of


@dataclass(frozen=True)
class Look:
    """What is seen of a run: its status, and the state of its search if it has a ledger yet."""

    status: Status
    state: SearchState | None = None


def look(where: str, clock: Callable[[], float] = time.time) -> Look:
    """The run at a path or URL as it is now; nothing of it is changed.

    Raises:
        RunDirError: there is no run, or its ledger is damaged.
        StorageError: the storage does not answer.
    """
    run = open_run(where, light=True)
    alive = held(run.path / ".lock") or (beating(run, clock()) if run.home else False)
    events = read_ledger(run.ledger) if run.ledger.exists() else []
    if not events:
        return Look(_without_ledger(where, run, alive, clock()))
    state = fold(events, Budget())
    config = read_config(state.config, source=where)
    state = fold(events, _budget(config))
    status = status_of(
        events,
        state,
        run_dir=where,
        resume=f"vaesearch resume {shlex.quote(where)}",
        alive=alive,
        now=clock(),
        upload=_upload(run, config, len(events)),
    )
    return Look(status, state)


def _budget(config: Config) -> Budget:
    trials = config.trials if isinstance(config, TuneConfig) else None
    return Budget(config.epochs, config.seconds, config.max_epochs_per_arm, 1, trials)


def _upload(run: RunDir, config: Config, lines: int) -> Upload:
    if config.tracking_uri == NO_TRACKING:
        return Upload(False)
    stored = _json(run.tracking_cursor)
    return Upload(
        True,
        min(int(stored.get("sent", 0)), lines),
        lines,
        bool(stored.get("complete", False)),
        str(stored.get("error", "")),
    )


def _without_ledger(where: str, run: RunDir, alive: bool | None, now: float) -> Status:
    """A run that is being made, one that was stopped while it was, or one without a search."""
    if _is_shared(run):
        return _shared(where, run, alive, now)
    if alive:
        return Status("starting", "data, networks, workers are prepared", None, where, now)
    if run.config.exists() or run.ledger.exists():
        detail = "it ended before its first line was written"
        return Status("stopped", detail, "start it again with the same --run-dir", where, now)
    raise RunDirError(_no_run(where))


def _is_shared(run: RunDir) -> bool:
    try:
        options = yaml.safe_load(run.config.read_text())
    except (OSError, yaml.YAMLError):
        return False
    return isinstance(options, dict) and bool(options.get("shared_encoder"))


def _shared(where: str, run: RunDir, alive: bool | None, now: float) -> Status:
    """A shared encoder keeps no ledger: it runs, it is done, or nothing is left of it."""
    results = _json(run.results)
    if results:
        best = results.get("best_decoder")
        return Status(
            "finished", f"best decoder {best}", None, where, now, "shared encoder", best_arm=best
        )
    if alive:
        detail = "it keeps no ledger, so its log is the only place that says how far it is"
        return Status("running", detail, None, where, now, "shared encoder")
    detail = "nothing is kept of a shared encoder that was stopped"
    return Status("stopped", detail, "start it again", where, now, "shared encoder")


def _json(path: Path) -> dict[str, Any]:
    """What is in a file that may be missing, or on the point of being replaced."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _no_run(where: str) -> str:
    path = Path(where)
    if not path.exists():
        return f"there is no {where}: give the run directory of a search."
    inside = sorted(
        (p.parent for p in path.glob("*/ledger.jsonl")), key=lambda p: p.stat().st_mtime
    )
    hint = f"; did you mean {shlex.quote(str(inside[-1]))}?" if inside else "."
    return f"{where} is not a run directory: it has no ledger.jsonl{hint}"
