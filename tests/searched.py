"""A finished search of two arms on disk, made once, and copies of it to spoil."""

import shutil

import pytest
import tiny

from vaesearch.events import ArmAdded, ArmFailed
from vaesearch.search.ledger import Ledger


def make_search(folder, **options):
    """Two arms of two epochs each on a few blobs; returns the run directory."""
    from vaesearch import Config, run_bandit

    path = folder / "run"
    config = Config(
        dataset=str(tiny.write_dataset(folder)), image_size=16, decoders="mlp,mlp-wide",
        encoders="mlp", width=0.05, latent_dim=4, epochs=4, batch_size=64, backend="local",
        policy="uniform",
    )  # fmt: skip
    run_bandit(config.changed(**{"tracking_uri": "none", **options}), path)
    return path


def copy_of(run_dir, folder):
    path = folder / "copy of a run"
    shutil.copytree(run_dir, path)
    return path


def append(run_dir, *events):
    """Write more lines into a ledger."""
    ledger = Ledger(run_dir / "ledger.jsonl")
    for event in events:
        ledger.append(event)
    ledger.close()


def add_bad_arms(run_dir):
    """An arm that failed, and one that was never trained."""
    append(run_dir, ArmAdded("late", {"decoder": "deconv"}, 10), ArmFailed("mlp", "loss is NaN"))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="session")
def searched(tmp_path_factory):
    """Of which nothing may be changed but in a copy."""
    folder = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESEARCH_CACHE", str(folder / "cache"))
        return make_search(folder)


@pytest.fixture
def run_dir(searched, tmp_path, monkeypatch):
    """A copy of a finished search, alone in a directory that is the working one."""
    monkeypatch.setenv("VAESEARCH_CACHE", str(searched.parent / "cache"))
    monkeypatch.chdir(tmp_path)
    return copy_of(searched, tmp_path)
