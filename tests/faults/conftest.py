"""One search for all faults: blobs, three arms, eighteen epochs; and how it ends undisturbed."""

import sys
from pathlib import Path

import pytest
import tiny
from disturbed import config_of

from vaesearch import run_bandit

# Last, since `tests` and `benchmarks` both have a module of the name `digits`.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """With the images; also the cache of every process."""
    folder = tmp_path_factory.mktemp("faults")
    tiny.write_dataset(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESEARCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def begin(folder):
    """The words that start the search in a run directory."""

    def words(run_dir, *more):
        return ["bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--run-dir", run_dir,
                *more]  # fmt: skip

    return words


@pytest.fixture(scope="session")
def undisturbed(folder):
    """Results of the search that nobody disturbs, without times."""
    run_bandit(config_of(folder), folder / "undisturbed")
    return tiny.comparable(folder / "undisturbed")
