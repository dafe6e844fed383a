"""A search from its opening lines to its end: what it asks for, and what it leaves behind."""

from types import SimpleNamespace

import pytest

from vaesearch.api import running
from vaesearch.config import Config
from vaesearch.errors import LedgerError
from vaesearch.search.run_dir import RunDir


def damaged():
    raise LedgerError("a damaged line")


@pytest.mark.parametrize("broken", ["ledger", "tracker"])
def test_workers_do_not_outlive_a_start_that_failed(tmp_path, monkeypatch, broken):
    closed = []
    backend = SimpleNamespace(close=lambda: closed.append(True))
    idle = SimpleNamespace(start=lambda: None, close=lambda seconds: None)
    failing = SimpleNamespace(start=damaged, close=lambda seconds: None)
    tracker = failing if broken == "tracker" else idle
    monkeypatch.setattr(running, "make_backend", lambda *a, **o: backend)
    monkeypatch.setattr(running, "make_tracker", lambda *a: tracker)
    if broken == "ledger":
        monkeypatch.setattr(RunDir, "open_ledger", lambda self: damaged())
    config = Config(policy="uniform", decoders="mlp", tracking_uri="none", epochs=1)
    with pytest.raises(LedgerError):
        running.drive(RunDir(tmp_path), config, None, [], None, [], lambda text: None)
    assert closed
