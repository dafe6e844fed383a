"""What tests of jobs share."""

import pytest
from fake_head import FakeHead


@pytest.fixture
def head():
    """A head on this machine that wants no token."""
    with FakeHead() as fake:
        yield fake


@pytest.fixture
def locked():
    """A head that wants a token."""
    with FakeHead("token") as fake:
        yield fake


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No token and no address of whoever runs the tests; ``tmp_path`` is where the user is."""
    for name in (
        "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN",
        "RAY_AUTH_TOKEN_PATH", "RAY_JOB_HEADERS", "VAESEARCH_RUNS",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
