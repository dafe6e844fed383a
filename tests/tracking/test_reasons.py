from unittest.mock import Mock

import pytest

from vaesearch.errors import VaesearchError
from vaesearch.tracking.reasons import explain


class RefusedError(Exception):
    def __init__(self, code):
        super().__init__("no")
        self.error_code = code


@pytest.mark.parametrize(
    "error",
    [
        Exception("API request to endpoint /x failed with error code 401 != 200. Body: no"),
        RefusedError("UNAUTHENTICATED"),
        type("HTTPError", (Exception,), {"response": Mock(status_code=401)})(),
    ],
)
def test_a_wrong_password_is_named_with_its_cure(error):
    said = explain(error, "http://me:secret@host:5000", "e")
    assert said.startswith("http://host:5000 wants another name or password (401)")
    assert "MLFLOW_TRACKING_PASSWORD" in said


def test_a_missing_permission_is_named_with_its_cure():
    said = explain(RefusedError("PERMISSION_DENIED"), "http://host", "shared")
    assert "'shared'" in said
    assert "(403)" in said
    assert "EDIT" in said


def test_no_password_is_repeated_and_nothing_is_long():
    for password in ("s3cret", "a/s3cret", "a@s3cret"):
        error = Exception(f"cannot reach 'postgresql://me:{password}@host/db" + "x" * 1000)
        assert "s3cret" not in explain(error)
        assert len(explain(error)) == 300
    assert explain(Exception("no postgresql://db/x?password=a&b=c")).endswith("password=***&b=c")


def test_our_own_errors_say_it_all():
    error = VaesearchError("the ledger is damaged")
    error.__cause__ = ValueError("line 3")
    assert explain(error) == "the ledger is damaged"
