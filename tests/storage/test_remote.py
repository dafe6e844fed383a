import multiprocessing
import socket

import pytest

from vaesearch.errors import InputError
from vaesearch.storage import folder_of
from vaesearch.storage.remote import RemoteFolder


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nosuch://a/b", "nosuch:// is no kind of storage that is known"),
        ("s3://", "names no bucket"),
        ("gs:///", "names no bucket"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url, said):
    with pytest.raises(InputError, match=said):
        folder_of(url)


def test_a_missing_driver_is_named(monkeypatch):
    def missing(scheme):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.get_filesystem_class", missing)
    with pytest.raises(InputError, match=r"pip install 'vaesearch\[s3\]'"):
        folder_of("s3://bucket/runs")


def test_a_google_address_is_taken_apart_without_a_connection():
    folder = folder_of("gs://bucket/runs/a/")
    assert folder.address == "gs://bucket/runs/a"
    assert folder.child("b").address == "gs://bucket/runs/a/b"


def test_a_bucket_that_does_not_exist_is_not_an_empty_one(bucket):
    folder = folder_of("s3://no-such-bucket-anywhere/runs")
    for act in (folder.names, lambda: folder.write("a", b""), lambda: folder.read("a")):
        with pytest.raises(OSError, match="there is no such bucket") as caught:
            act()
        assert not isinstance(caught.value, FileNotFoundError)


def test_a_google_bucket_that_does_not_exist_is_said(google_bucket):
    with pytest.raises(OSError, match="there is no such bucket"):
        folder_of("gs://missing/runs").write("a", b"")


@pytest.mark.parametrize("name", ["my-bucket/runs", "bucket/bucket", "b/a bucket of runs"])
def test_a_file_is_missing_even_where_a_name_speaks_of_buckets(google_bucket, name):
    folder = folder_of(f"gs://{name}")
    assert folder.names() == []
    with pytest.raises(FileNotFoundError, match="no such file"):
        folder.read("the bucket")
    folder.remove("the bucket")


def test_absent_credentials_are_said_at_once(bucket, monkeypatch, tmp_path):
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(OSError, match="no credentials"):
            RemoteFolder(bucket, patience=60).write("a", b"")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


class Files:
    """A driver that fails a number of times."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.asked = 0

    def cat_file(self, path):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return b"x"


def with_driver(monkeypatch, *errors, patience=60.0):
    monkeypatch.setattr("vaesearch.storage.remote.LONGEST_PAUSE", 0.0)
    folder, files = RemoteFolder("memory://a/b", patience), Files(*errors)
    monkeypatch.setattr(folder, "_files", lambda: files)
    return folder, files


def test_what_may_pass_is_tried_again(monkeypatch):
    folder, files = with_driver(monkeypatch, OSError(16, "Slow down"), TimeoutError("late"))
    assert folder.read("c") == b"x"
    assert files.asked == 3


def test_what_will_not_pass_is_not(monkeypatch):
    folder, files = with_driver(monkeypatch, PermissionError("Access Denied"))
    with pytest.raises(PermissionError, match="access denied: Access Denied") as caught:
        folder.read("c")
    assert files.asked == 1
    assert caught.value.filename == "memory://a/b/c"


def test_patience_ends(monkeypatch):
    folder, files = with_driver(monkeypatch, *[TimeoutError("late")] * 3, patience=0.0)
    with pytest.raises(OSError, match="late"):
        folder.read("c")
    assert files.asked == 1


def test_a_fault_of_a_program_is_not_hidden(monkeypatch):
    folder, _ = with_driver(monkeypatch, KeyError("typo"))
    with pytest.raises(KeyError):
        folder.read("c")


def test_a_closed_port_is_an_error_in_words(bucket, monkeypatch):
    import s3fs

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(OSError, match="Could not connect"):
            RemoteFolder(bucket, patience=0).write("a", b"")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def _write(folder):
    folder.write("child", b"x")


def test_it_works_in_a_process_that_was_forked(bucket):
    folder = folder_of(bucket)
    folder.write("parent", b"x")
    child = multiprocessing.get_context("fork").Process(target=_write, args=(folder,))
    child.start()
    child.join()
    assert folder.names() == ["child", "parent"]


def test_patience_may_be_set_by_the_environment(monkeypatch):
    monkeypatch.setenv("VAESEARCH_STORAGE_SECONDS", "7.5")
    assert folder_of("memory://a").patience == 7.5
    monkeypatch.setenv("VAESEARCH_STORAGE_SECONDS", "soon")
    with pytest.raises(InputError, match="VAESEARCH_STORAGE_SECONDS=soon"):
        folder_of("memory://a")
