import errno
import hashlib
import os

import pytest
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import CheckpointError, StorageError
from vaesearch.storage.local import write_atomically


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def payload(arm="a", epoch=3):
    return {"arm": arm, "epoch": epoch, "model": {"w": torch.arange(500.0)}}


def names(store):
    return sorted(p.name for p in store.folder.rglob("*") if p.is_file())


def test_what_is_saved_is_loaded(store):
    digest = store.save("a", 3, payload())
    assert digest == hashlib.sha256(store.path("a", 3).read_bytes()).hexdigest()
    loaded = store.load("a", 3, digest)
    assert torch.equal(loaded["model"]["w"], torch.arange(500.0))
    assert names(store) == ["epoch-00003.pt"]


def test_same_payload_has_the_same_digest(store):
    assert store.save("a", 3, payload()) == store.save("a", 3, payload())


def test_arm_with_a_slash_stays_in_one_folder(store):
    digest = store.save("a/b", 1, payload("a/b", 1))
    assert store.path("a/b", 1).parent.parent == store.folder
    assert store.load("a/b", 1, digest)["epoch"] == 1


def test_missing_file_is_said(store):
    with pytest.raises(CheckpointError, match=r"cannot read .*epoch-00003.pt: No such file"):
        store.load("a", 3, "0" * 64)


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b[:-1] + b"\x00", lambda b: b""])
def test_damage_is_found(store, damage):
    digest = store.save("a", 3, payload())
    path = store.path("a", 3)
    path.write_bytes(damage(path.read_bytes()) + b"x")
    with pytest.raises(CheckpointError, match="damaged"):
        store.load("a", 3, digest)


def test_digest_of_another_epoch_is_refused(store):
    digest = store.save("a", 3, payload())
    store.save("a", 4, payload(epoch=4))
    with pytest.raises(CheckpointError, match="damaged"):
        store.load("a", 4, digest)


@pytest.mark.parametrize("held", [("a", 4), ("b", 3)])
def test_file_of_another_arm_or_epoch_is_refused(store, held):
    digest = store.save("a", 3, payload(*held))
    with pytest.raises(CheckpointError, match=f"holds {held[0]} at epoch {held[1]}, not a at 3"):
        store.load("a", 3, digest)


class Trap:
    """Unpickling it runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("content", ["trap", "not a mapping", "no arm"])
def test_file_that_is_no_checkpoint_is_refused_and_runs_nothing(store, tmp_path, content):
    made = tmp_path / "made"
    saved = {
        "trap": payload() | {"model": Trap(made)},
        "not a mapping": [1, 2],
        "no arm": {"epoch": 3},
    }
    digest = store.save("a", 3, saved[content])
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        store.load("a", 3, digest)
    assert not made.exists()


@pytest.fixture(params=["fsync", "replace"])
def full_disk(request, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, request.param, fail)


@pytest.mark.usefixtures("full_disk")
def test_full_disk_leaves_no_half_file(store):
    with pytest.raises(StorageError, match="No space left on device"):
        store.save("a", 3, payload())
    assert names(store) == []


@pytest.mark.usefixtures("full_disk")
def test_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        CheckpointStore(tmp_path / "file").save("a", 3, payload())


def test_prune_keeps_the_named_epochs_of_one_arm(store):
    for arm in ("a", "ab"):
        for epoch in range(1, 6):
            store.save(arm, epoch, payload(arm, epoch))
    left_over = store.path("a", 7).with_name("epoch-00007.pt.123.tmp")
    left_over.write_bytes(b"half")
    store.prune("a", {2, 5, 9})
    kept = sorted(p.name for p in store.path("a", 0).parent.iterdir())
    assert kept == ["epoch-00002.pt", "epoch-00005.pt"]
    assert len(names(store)) == 2 + 5
    store.prune("never trained", set())
