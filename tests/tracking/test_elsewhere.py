import pytest

from vaesearch.errors import RunDirError
from vaesearch.search import lease
from vaesearch.search.lease import Lease
from vaesearch.search.run_dir import RunDir
from vaesearch.storage import folder_of
from vaesearch.tracking.core import sync
from vaesearch.tracking.elsewhere import refuse_searching, seen_here_only


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return RunDir("s3://bucket/runs/first")


def test_a_database_beside_the_copy_is_told(run, tmp_path, monkeypatch):
    said = seen_here_only(run, None)
    assert "s3://bucket/runs/first" in said
    assert "MLFLOW_TRACKING_URI" in said
    assert seen_here_only(run, "http://host") is None
    assert seen_here_only(RunDir(tmp_path), None) is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host")
    assert seen_here_only(run, None) is None


def test_a_search_that_runs_elsewhere_sends_its_own(run, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.2)
    run.home.folder = folder_of(tmp_path / "home")
    run.create()
    run.ledger.write_text("")
    refuse_searching(run)
    search = Lease(run.home.folder, "of another machine")
    search.acquire()
    try:
        with pytest.raises(RunDirError, match="in use by process"):
            sync(run, "http://127.0.0.1:9", "e")
    finally:
        search.release()
    refuse_searching(run)
