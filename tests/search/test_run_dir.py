import os
import subprocess
import sys

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
