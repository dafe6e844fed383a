"""Where a token is looked for."""

import pytest

from vaesearch.errors import InputError
from vaesearch.jobs.tokens import find_token


def test_the_order(tmp_path):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("default\n")
    (tmp_path / "named").write_text("named")
    environ = {"RAY_AUTH_TOKEN": "given", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "named")}
    assert find_token(environ, tmp_path).secret == "given"
    del environ["RAY_AUTH_TOKEN"]
    assert find_token(environ, tmp_path).secret == "named"
    found = find_token({}, tmp_path)
    assert (found.secret, found.chosen) == ("default", False)
    assert "default" not in repr(found).replace(str(tmp_path), "")
    assert find_token({}, tmp_path / "nobody") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"", "is empty"), (b"\xff\xfe", "no text"), (b"a b", "no token")],
)
def test_a_named_file_must_hold_one(tmp_path, content, said):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        find_token({"RAY_AUTH_TOKEN_PATH": str(path)}, tmp_path)
