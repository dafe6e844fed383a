import pytest


@pytest.fixture
def no_disk(monkeypatch):
    """Nothing here loses power."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
