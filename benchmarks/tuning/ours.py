"""`vaesearch tune` on the landscape, with all that it writes: ledger, checkpoints, study."""

import time
from pathlib import Path
from typing import Any

from tuning.landscape import Landscape
from tuning.record import Recorder
from vaesearch.api import run_search
from vaesearch.events import Event, PullFinished, SearchStarted
from vaesearch.search.state import SearchState


def tune(
    landscape: Landscape, recorder: Recorder, folder: Path, *, epochs: int | None = None,
    **options: Any,
) -> None:  # fmt: skip
    """A whole search in a new run directory under ``folder``.

    The clock starts with the first line of the ledger; reading data and options comes before. An
    epoch counts once its checkpoint and its line in the ledger are on disk.
    """
    called = time.monotonic()

    def observe(event: Event, state: SearchState) -> None:
        if isinstance(event, SearchStarted):
            recorder.begin()
            recorder.startup = recorder.began - called
        if isinstance(event, PullFinished):
            now = time.monotonic()
            arm = state.arms[event.arm].arm
            for report in event.reports:
                bpd = report["metrics"]["bpd"]
                recorder.add(arm, report["epoch"], bpd, report["seconds"], now)

    budget = {"seconds": recorder.seconds, "epochs": epochs}
    config = landscape.problem.config(landscape.seed, **budget, **options)
    run_search(config, folder / "run", observers=[observe])
