"""What every kind of folder does: on a disk, in an object store, in memory."""

import pickle
import threading
import uuid

import pytest

from vaesearch.storage import folder_of


@pytest.fixture(params=["local", "s3", "gs", "memory"])
def folder(request, tmp_path):
    if request.param == "s3":
        return folder_of(f"{request.getfixturevalue('bucket')}/runs/a run")
    if request.param == "gs":
        return folder_of(f"{request.getfixturevalue('google_bucket')}/runs/a run")
    if request.param == "memory":
        return folder_of(f"memory://{uuid.uuid4().hex}/runs")
    return folder_of(tmp_path / "runs" / "a run")


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
def test_what_is_written_is_read(folder):
    for content in (b"first", b"", b"\x00" * 3_000_000):
        folder.write("a/b.bin", content)
        assert folder.read("a/b.bin") == content
    with pytest.raises(FileNotFoundError):
        folder.read("a/c.bin")


def test_a_file_that_is_there_is_not_created(folder):
    folder.create("a/1", b"mine")
    with pytest.raises(FileExistsError):
        folder.create("a/1", b"theirs")
    folder.create("a/1", b"mine")
    assert folder.read("a/1") == b"mine"


def test_of_many_that_create_a_file_one_succeeds(folder):
    outcomes = []

    def create(number):
        try:
            folder.create("a/1", str(number).encode())
            outcomes.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert folder.read("a/1") == str(outcomes[0]).encode()


def test_names_are_complete_and_sorted(folder):
    assert folder.names() == []
    for name in ("b", "a/2", "a/1", "ab/3"):
        folder.write(name, b"x")
    assert folder.names() == ["a/1", "a/2", "ab/3", "b"]
    assert folder.names("a") == ["a/1", "a/2"]
    assert folder.names("none") == []
    folder.remove("a/1")
    folder.remove("a/1")
    assert folder.names("a") == ["a/2"]


def test_a_stamp_changes_with_the_content(folder):
    folder.write("a", b"one")
    folder.write("b", b"one")
    before = folder.stamps()
    assert folder.stamps() == before
    folder.write("a", b"two")
    after = folder.stamps()
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_a_child_is_the_folder_inside(folder):
    child = folder.child("a").child("b")
    child.write("c", b"x")
    assert folder.names() == ["a/b/c"]
    assert child.names() == ["c"]
    assert child.address == f"{folder.address}/a/b"


def test_it_can_be_sent_to_another_process(folder):
    folder.write("a", b"x")
    copy = pickle.loads(pickle.dumps(folder))
    assert copy.address == folder.address
    assert copy.read("a") == b"x"


def test_what_another_wrote_is_seen_at_once(folder):
    other = folder_of(folder.address)
    assert folder.names() == []
    other.write("a", b"x")
    assert folder.names() == ["a"]
    other.write("a", b"y")
    assert folder.read("a") == b"y"
