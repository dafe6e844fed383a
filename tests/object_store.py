"""An S3-compatible server on this machine, and folders that fail in chosen ways."""

import errno
import os
import threading
import uuid

import pytest

# Kinds of buckets that have a network protocol of their own, which asks for Google's accounts.
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "VAESEARCH_STORAGE_SECONDS": "2",
}


@pytest.fixture(scope="session")
def s3_server():
    """The address of the server."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(s3_server, monkeypatch):
    """What other processes need to see the server."""
    environment = KEYS | {"AWS_ENDPOINT_URL": s3_server}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def bucket(s3_environment):
    """The URL of a new bucket."""
    import fsspec

    name = f"b{uuid.uuid4().hex}"
    fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
    return f"s3://{name}"


@pytest.fixture
def google_bucket(monkeypatch):
    """The URL of a bucket in a store that speaks Google's language."""
    import gcsfs
    from google_store import GoogleStore

    server = GoogleStore()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
    gcsfs.GCSFileSystem.clear_instance_cache()
    yield f"gs://b{uuid.uuid4().hex}"
    gcsfs.GCSFileSystem.clear_instance_cache()
    server.shutdown()
    server.server_close()
    thread.join()


class Faulty:
    """A folder around another one, which fails or waits when told to.

    Attributes:
        fault: raised by the next calls that write; None for none.
        calls: what was asked, in order.
        gate: writing waits until it is set.
    """

    def __init__(self, folder):
        self.folder, self.address = folder, folder.address
        self.fault, self.calls, self.gate = None, [], threading.Event()
        self.gate.set()

    def _write(self, act, name, content):
        self.calls.append((act, name))
        self.gate.wait()
        if self.fault is not None:
            raise self.fault
        getattr(self.folder, act)(name, content)

    def write(self, name, content):
        self._write("write", name, content)

    def create(self, name, content):
        self._write("create", name, content)

    def __getattr__(self, name):
        return getattr(self.folder, name)


def full():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def away():
    return OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
