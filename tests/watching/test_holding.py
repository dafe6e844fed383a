import subprocess
import sys

import pytest

from vaesearch.search.run_dir import RunDir
from vaesearch.watching import holding


@pytest.fixture
def lock(tmp_path):
    run = RunDir(tmp_path / "run")
    run.create()
    run.lock()
    run.unlock()
    return run.path / ".lock"


@pytest.mark.parametrize("listed", [True, False])
def test_another_process_holds_it(lock, monkeypatch, tmp_path, listed):
    """With the kernel's list, and where that does not have it, as in another container."""
    if not listed:
        monkeypatch.setattr(holding, "LOCKS", tmp_path / "missing")
    code = (
        "import sys, pathlib; from vaesearch.search.run_dir import RunDir\n"
        "run = RunDir(pathlib.Path(sys.argv[1])); run.lock(); print(flush=True); sys.stdin.read()"
    )
    assert not holding.held(lock)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock.parent)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.readline()
        assert holding.held(lock)
        process.stdin.close()
        process.wait()
    assert not holding.held(lock)


def test_no_lock_is_not_held(tmp_path):
    assert not holding.held(tmp_path / ".lock")
