import errno
import hashlib
import os
from pathlib import Path

import pytest
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import CheckpointError, StorageError
from vaesearch.storage import folder_of
from vaesearch.storage.local import write_atomically


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def payload(arm="a", epoch=3):
    return {"arm": arm, "epoch": epoch, "model": {"w": torch.arange(500.0)}}


def names(store):
    return sorted(p.name for p in store.folder.path.rglob("*") if p.is_file())


def path_of(store, arm, epoch, digest):
    return Path(store.address(arm, epoch, digest))


def test_what_is_saved_is_loaded(store):
    digest = store.save("a", 3, payload())
    assert digest == hashlib.sha256(path_of(store, "a", 3, digest).read_bytes()).hexdigest()
    loaded = store.load("a", 3, digest)
    assert torch.equal(loaded["model"]["w"], torch.arange(500.0))
    assert names(store) == [f"epoch-00003-{digest[:12]}.pt"]


def test_same_payload_has_the_same_digest(store):
    assert store.save("a", 3, payload()) == store.save("a", 3, payload())


def test_arm_with_a_slash_stays_in_one_folder(store):
    digest = store.save("a/b", 1, payload("a/b", 1))
    assert path_of(store, "a/b", 1, digest).parent.parent == store.folder.path
    assert store.load("a/b", 1, digest)["epoch"] == 1


def test_missing_file_is_said(store):
    store.save("a", 2, payload("a", 2))
    with pytest.raises(
        CheckpointError, match=r"cannot read .*epoch-00003-000000000000.pt: No such file"
    ):
        store.load("a", 3, "0" * 64)


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b[:-1] + b"\x00", lambda b: b""])
def test_damage_is_found(store, damage):
    digest = store.save("a", 3, payload())
    path = path_of(store, "a", 3, digest)
    path.write_bytes(damage(path.read_bytes()) + b"x")
    with pytest.raises(CheckpointError, match="damaged"):
        store.load("a", 3, digest)


def test_digest_of_another_epoch_is_refused(store):
    digest = store.save("a", 3, payload())
    store.save("a", 4, payload(epoch=4))
    with pytest.raises(CheckpointError, match="cannot read"):
        store.load("a", 4, digest)


def test_two_attempts_at_one_epoch_leave_each_other_alone(store):
    first, second = (store.save("a", 3, payload() | {"by": by}) for by in ("one", "two"))
    assert store.load("a", 3, first)["by"] == "one"
    assert store.load("a", 3, second)["by"] == "two"
    store.prune("a", {3: second})
    assert not store.has("a", 3, first)
    assert store.load("a", 3, second)["by"] == "two"


def test_a_checkpoint_that_was_named_without_its_digest_is_found(store):
    digest = store.save("a", 3, payload())
    path = path_of(store, "a", 3, digest)
    path.rename(path.with_name("epoch-00003.pt"))
    assert store.has("a", 3, digest)
    store.prune("a", {3: digest})
    assert store.load("a", 3, digest)["epoch"] == 3
    store.prune("a", {4: digest})
    assert not store.has("a", 3, digest)


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


def test_two_with_one_process_id_write_the_same_file(tmp_path, monkeypatch):
    path, sync = tmp_path / "model.pt", os.fsync

    def fsync(descriptor):
        monkeypatch.setattr(os, "fsync", sync)
        write_atomically(path, b"of the other machine")

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(path, b"of this machine")
    assert path.read_bytes() == b"of this machine"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        CheckpointStore(tmp_path / "file").save("a", 3, payload())


def test_prune_keeps_the_named_epochs_of_one_arm(store):
    digests = {}
    for arm in ("a", "ab"):
        for epoch in range(1, 8):
            digests[arm, epoch] = store.save(arm, epoch, payload(arm, epoch))
    folder = path_of(store, "a", 5, digests["a", 5]).parent
    left_over = folder / "epoch-00005-0123456789ab.pt.0123456789ab.tmp"
    left_over.write_bytes(b"half")
    store.prune("a", {epoch: digests["a", epoch] for epoch in (2, 5)})
    kept = sorted(p.name[:11] for p in folder.iterdir())
    assert kept == ["epoch-00002", "epoch-00005", "epoch-00006", "epoch-00007"]
    assert len(names(store)) == 4 + 7
    store.prune("never trained", {})


def test_checkpoints_may_lie_in_an_object_store(bucket):
    store = CheckpointStore(folder_of(f"{bucket}/run/checkpoints"))
    digests = {epoch: store.save("a/b", epoch, payload("a/b", epoch)) for epoch in (1, 2, 3)}
    assert store.address("a/b", 1, digests[1]).startswith(f"{bucket}/run/checkpoints/")
    assert store.load("a/b", 2, digests[2])["epoch"] == 2
    store.prune("a/b", {2: digests[2], 3: digests[3]})
    assert [store.has("a/b", epoch, digests[epoch]) for epoch in (1, 2, 3)] == [False, True, True]
    store.keep_only("a/b", {2})
    assert len(store.folder.names()) == 1
    with pytest.raises(CheckpointError, match=r"cannot read s3://.*: no such file"):
        store.load("a/b", 3, digests[3])


def test_a_bucket_that_is_missing_is_said(s3_environment):
    with pytest.raises(StorageError, match=r"cannot write s3://.*: there is no such bucket"):
        CheckpointStore(folder_of("s3://no-such-bucket/run")).save("a", 1, payload())
