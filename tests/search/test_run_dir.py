import fcntl
import os
import subprocess
import sys
import uuid

import pytest

from vaesearch.errors import InputError, RunDirError, StorageError
from vaesearch.search.run_dir import RunDir

HOLD = """
import sys, time
from pathlib import Path
from vaesearch.search.run_dir import RunDir
holder = RunDir(Path(sys.argv[1]))
holder.lock()
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_names_its_holder_and_dies_with_it(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    run_dir = RunDir(tmp_path)
    with pytest.raises(RunDirError, match=f"in use by process {holder.pid}"):
        run_dir.lock()
    holder.kill()
    holder.communicate()
    run_dir.lock()
    assert (tmp_path / ".lock").read_text() == str(os.getpid())
    run_dir.unlock()


def test_who_only_looks_keeps_nobody_out(tmp_path, monkeypatch):
    with (tmp_path / ".lock").open("a+") as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert not RunDir(tmp_path)._is_held()
        monkeypatch.setattr("time.sleep", lambda seconds: looker.close())
        run_dir = RunDir(tmp_path)
        run_dir.lock()
    assert RunDir(tmp_path)._is_held()
    run_dir.unlock()


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot make"):
        RunDir(tmp_path / "file" / "run").create()


def test_a_missing_directory_cannot_be_locked(tmp_path):
    with pytest.raises(StorageError, match="cannot write in"):
        RunDir(tmp_path / "missing").lock()


@pytest.mark.parametrize("name", [".", ".."])
def test_a_url_whose_copy_would_lie_elsewhere_is_refused(name):
    with pytest.raises(InputError, match="a run cannot be called"):
        RunDir(f"memory://b/runs/{name}")


@pytest.fixture
def at_url(tmp_path, monkeypatch):
    """A run at a URL, as this machine and another one see it."""
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    url = f"memory://{uuid.uuid4().hex}/run"
    return lambda: RunDir(url)


def test_a_reader_leaves_the_copy_alone_once_a_search_has_begun(at_url, monkeypatch):
    reader, driver = at_url(), at_url()
    driver.create()
    flock = fcntl.flock

    def begin_first(handle, how):
        """As it happens between the reader's first question and its turn."""
        if handle.name.endswith(".home.lock"):
            monkeypatch.setattr(fcntl, "flock", flock)
            driver.lock()
            driver.ledger.write_bytes(b"of the driver")
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", begin_first)
    reader.fetch()
    assert reader._read is None
    reader.config.write_text("a: 1")
    driver.home.folder.write("results.json", b"{}")
    reader.put()
    assert not reader.results.exists()
    assert "config.yaml" not in driver.home.folder.names()
    driver.unlock()


def test_a_look_that_is_refused_leaves_no_trace_and_no_gap(at_url, monkeypatch):
    run_dir = at_url()
    run_dir.create()
    run_dir.lock()
    folder, removed = run_dir.home.folder, []

    def remove(name):
        with pytest.raises(RunDirError, match="in use by process"):
            at_url().lock()
        removed.append(name)
        type(folder).remove(folder, name)

    monkeypatch.setattr(folder, "remove", remove, raising=False)
    run_dir.discard()
    assert removed == ["ledger/00000001.jsonl", "lease/000001.json"]
    assert folder.names() == []
    assert not run_dir.path.exists()


def test_a_run_with_something_in_it_is_not_discarded(at_url):
    run_dir = at_url()
    run_dir.create()
    run_dir.lock()
    run_dir.home.folder.write("results.json", b"{}")
    run_dir.discard()
    assert "results.json" in run_dir.home.folder.names()
    again = at_url()
    again.create()
    again.lock()
    again.unlock()
