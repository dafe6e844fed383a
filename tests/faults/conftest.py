"""One search for all faults: on blobs, three arms, eighteen epochs; and how it ends undisturbed."""

import sys
from pathlib import Path

import pytest
import tiny
from disturbed import LOCAL

# Last, since `tests` and `benchmarks` both have a module of the name `digits`.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """With the images; also the cache of every process."""
    folder = tmp_path_factory.mktemp("faults")
    tiny.write_dataset(folder)
    return folder


@pytest.fixture(scope="session")
def begin(folder):
    """The words that start the search in a run directory."""

    def words(run_dir, *more):
        return ["bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--run-dir", run_dir,
                *more]  # fmt: skip

    return words


@pytest.fixture(scope="session")
def undisturbed(folder, begin):
    """Results of the search that nobody disturbs, without times."""
    run_dir = folder / "undisturbed"
    done = tiny.run(*begin(run_dir, *LOCAL), cache=folder)
    assert done.returncode == 0, done.stderr
    return tiny.comparable(run_dir)
