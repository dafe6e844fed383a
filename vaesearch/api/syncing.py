"""What the study of a run lacks, sent afterwards."""

from pathlib import Path

from vaesearch.api.running import budget_of
from vaesearch.api.storing import mirror_of, named, study_address
from vaesearch.bandits.core import Budget
from vaesearch.config import TuneConfig, read_config
from vaesearch.errors import VaesearchError
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.state import fold

SYNC_SECONDS = 600.0


def sync_study(path: str | Path) -> str | None:
    """Write what the study of a run lacks, and wait for it.

    Returns:
        Where the study is, without a password; None for a run without one.

    Raises:
        RunDirError: not a run directory, or in use.
        InputError: the study is another search's.
        VaesearchError: the storage does not answer.
    """
    run_dir = open_run(path)
    events = read_ledger(run_dir.ledger)
    before = fold(events, Budget())
    config = named(read_config(before.config, source=str(path)), before.search_id)
    address = study_address(config, run_dir)
    if address is None or not isinstance(config, TuneConfig):
        return None
    state = fold(events, budget_of(config))
    run_dir.lock()  # the search is the one who writes its study, while it runs
    try:
        mirror = mirror_of(config, run_dir, state)
        mirror.start(events, state)
        if unsent := mirror.close(SYNC_SECONDS):
            raise VaesearchError(unsent)
    finally:
        run_dir.unlock()
    return f"study {config.study} at {address.shown}"
