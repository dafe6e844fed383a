"""A checkpoint is not what the ledger says: its arm is out, in words, and the others go on."""

import shutil

import pytest
from disturbed import after_pulls, assert_whole, config_of, events_of

from vaesearch import resume, run_bandit
from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import StorageError
from vaesearch.events import ArmFailed
from vaesearch.search.state import fold


class StoppedError(Exception):
    """In place of a kill."""


@pytest.fixture(scope="module")
def stopped(folder, tmp_path_factory):
    """A search that was stopped after two epochs of each arm and one more of one."""
    run_dir = tmp_path_factory.mktemp("stopped") / "run"

    def stop():
        raise StoppedError

    with pytest.raises(StoppedError):
        run_bandit(config_of(folder, policy="uniform"), run_dir, observers=[after_pulls(7, stop)])
    return run_dir


@pytest.fixture
def run_dir(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    return tmp_path / "run"


def files_of(run_dir, arm, epoch):
    """The checkpoint's file, by whatever name."""
    [path] = (run_dir / "checkpoints" / arm).glob(f"epoch-{epoch:05d}*.pt")
    return path


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES = {"flipped": flip, "truncated": truncate, "removed": lambda path: path.unlink()}


def assert_out(run_dir, arm, name):
    """The arm failed with the file's name; the others spent the budget and were scored."""
    state = assert_whole(run_dir)
    assert name in state.arms[arm].note
    [failed] = [event for event in events_of(run_dir) if isinstance(event, ArmFailed)]
    assert failed.arm == arm
    assert not failed.lost
    assert state.finished.best_arm not in (None, arm)
    assert all(state.arms[other].test for other in state.arms if other != arm)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_last_one(damage, run_dir):
    arm = "mlp-wide"
    state = fold(events_of(run_dir), Budget())
    path = files_of(run_dir, arm, state.arms[arm].epoch)
    DAMAGES[damage](path)
    resume(run_dir)
    assert_out(run_dir, arm, path.name)


def test_the_best_one_at_the_end(folder, tmp_path):
    """It is only needed for the test figures; the search must not hang on it."""
    run_dir = tmp_path / "run"

    def spoil():
        for arm in fold(events_of(run_dir), Budget()).arms.values():
            if arm.arm.name == "mlp":
                flip(files_of(run_dir, "mlp", arm.best.epoch))

    config = config_of(folder, policy="uniform")
    run_bandit(config, run_dir, observers=[after_pulls(config.epochs, spoil)])
    assert_out(run_dir, "mlp", "is damaged")


def test_all_of_them_are_gone(run_dir, folder):
    """A disk that is not there says nothing against the arms."""
    checkpoints = run_dir / "checkpoints"
    shutil.move(checkpoints, run_dir / "elsewhere")
    with pytest.raises(StorageError, match="checkpoints"):
        resume(run_dir)
    assert not any(isinstance(event, ArmFailed) for event in events_of(run_dir))
    shutil.rmtree(checkpoints, ignore_errors=True)
    shutil.move(run_dir / "elsewhere", checkpoints)
    resume(run_dir)
    state = assert_whole(run_dir)
    store = CheckpointStore(checkpoints)
    for name, arm in state.arms.items():
        store.load(name, arm.epoch, arm.checkpoints[arm.epoch])
