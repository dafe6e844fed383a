"""Where a run is shown, as far as its MLflow store says. Free of MLflow until it is asked."""

import os

from vaesearch.errors import VaesearchError
from vaesearch.events import SearchStarted
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.core import DEFAULTS, has_mlflow
from vaesearch.tracking.pages import Pages
from vaesearch.tracking.reasons import explain
from vaesearch.tracking.tail import LedgerTail
from vaesearch.tracking.uris import connectable, identity


def find_pages(run_dir: RunDir, uri: str, experiment: str) -> Pages | None:
    """The pages of a run; None if the store does not have it.

    Credentials and MLflow's settings go into the environment of this process.

    Raises:
        VaesearchError: the store does not answer or refuses, or there is no MLflow.
    """
    events = LedgerTail(run_dir.ledger).read()
    if not events or not isinstance(events[0], SearchStarted):
        return None
    if not has_mlflow():
        raise VaesearchError("MLflow is not installed: pip install mlflow")
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    address = connectable(uri, os.environ)
    from vaesearch.tracking import mlflow_store

    try:
        return mlflow_store.find_pages(address, experiment, events[0].search_id)
    except Exception as error:  # whatever MLflow, its drivers or the network come up with
        reason = explain(error, uri, experiment)
        raise VaesearchError(f"cannot look at MLflow on {identity(uri)}: {reason}.") from error
