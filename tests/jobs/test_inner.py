"""A command as data, and through a shell."""

import json
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaesearch.errors import InputError
from vaesearch.jobs.inner import Inner, Option, entrypoint, shown

WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    max_size=5,
)
ECHO = "import json, os, sys; json.dump(sys.argv[1:], open(os.environ['TO'], 'w'))"


@given(WORDS)
@example(["a b", "'", '"', "\n", ";", "$(touch x)", "`x`", "*", "\\", "~", "-", "--", "", "é 数"])
@settings(max_examples=25, deadline=None)
def test_words_pass_a_shell_as_they_are(tmp_path_factory, words):
    folder = tmp_path_factory.mktemp("shell")
    (folder / "echo.py").write_text(ECHO)
    command = entrypoint("echo.py", words, sys.executable)
    subprocess.run(
        command, shell=True, check=True, cwd=folder, env={"TO": "said.json", "LANG": "C.UTF-8"}
    )
    assert json.loads((folder / "said.json").read_text()) == words
    assert {path.name for path in folder.iterdir()} == {"echo.py", "said.json"}


def test_the_interpreter_is_looked_for(tmp_path):
    (tmp_path / "python3").symlink_to("/bin/echo")
    command = entrypoint("x.py", ["a b"])
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={"PATH": str(tmp_path)}
    )
    assert done.stdout == "x.py a b\n"


def test_no_text_is_refused():
    for word in ("\udcff", "a\0b"):
        with pytest.raises(InputError, match="no UTF-8 text"):
            entrypoint("x.py", [word])


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        ("postgresql://u:sec/ret@db/x", "postgresql://u:***@db/x"),
        ("postgresql://db/x?user=me&password=secret", "user=me&password=***"),
        ("postgresql://u:sec'ret@db/x", "postgresql://u:***@db/x"),
        ('postgresql://u:sec"ret@db/x', "postgresql://u:***@db/x"),
        ("postgresql://u:sec ret@db/x", "postgresql://u:***@db/x"),
        ("https://u:secret@m/x", "https://u:***@m/x"),
    ],
)
def test_no_part_of_a_password_is_shown(uri, left):
    for words in (["tune", f"--storage={uri}"], ["tune", "--storage", uri], [uri]):
        text = shown(words)
        assert left in text
        assert "sec" not in text
        assert "ret" not in text


def test_passwords_are_not_shown():
    storage = "--storage=postgresql+psycopg://me:p@ss@db:5432/x"
    words = ["tune", storage, "--tracking-uri", "http://h:1"]
    assert "p@ss" not in shown(words)
    assert "me:***@db:5432/x" in shown(words)
    assert shown(words).endswith("--tracking-uri http://h:1")


def test_options_are_replaced_in_place():
    inner = Inner("bandit", (Option("a", "--a", ("1", "2")), Option("b", "--b")))
    assert inner.words == ["bandit", "--a=1", "--a=2", "--b"]
    assert inner.changed(Option("a", "--a", ("3",))).words == ["bandit", "--a=3", "--b"]
    assert inner.changed(Option("c", "--c", ("-4",))).words[-1] == "--c=-4"
    assert (inner.first("a"), inner.first("b"), inner.first("z")) == ("1", None, None)
