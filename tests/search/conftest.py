import pytest
from replays import start_search


@pytest.fixture
def start(tmp_path, monkeypatch):
    """``start_search`` with the ledgers closed at the end; ``path`` is a name in ``tmp_path``."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # the deaths here are not of machines
    ledgers = []

    def begin(path, *arguments, **options):
        controller, ledger = start_search(tmp_path / path, *arguments, **options)
        ledgers.append(ledger)
        return controller, ledger

    yield begin
    for ledger in ledgers:
        ledger.close()
