"""A user's own members: found by module and name, refused in words."""

import re
from pathlib import Path

import pytest

from vaesearch import catalogue
from vaesearch.config import Config
from vaesearch.errors import InputError
from vaesearch.specs import split_own

MODULE = """
import math

class Greedy:
    def __init__(self, window=1, name=None):
        if window == 13:
            raise ValueError("thirteen")
        self.window, self.name = window, name
    def choose(self, history, rng):
        raise NotImplementedError

class Needy(Greedy):
    def __init__(self, window):
        super().__init__(window)

class Mute:
    pass

number = 3
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working directory with modules in it."""
    import sys

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "torn.py").write_text("def f(:\n")
    (tmp_path / "hungry.py").write_text("import no_such_package_anywhere\n")
    (tmp_path / "angry.py").write_text("raise RuntimeError('not today')\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("spec", "split"),
    [
        ("mine:Greedy", ("mine:Greedy", "")),
        ("a.b_c.d:Mine:x=1,2", ("a.b_c.d:Mine", "x=1,2")),
        ("mine:Greedy:", ("mine:Greedy", "")),
        ("mine:Greedy:a:b", ("mine:Greedy", "a:b")),
        ("thompson", None),
        ("thompson:minimum=3", None),
        ("thompson:3", None),
        ("a-b:C", None),
        (".a:C", None),
        ("a.:C", None),
        (":C", None),
    ],
)
def test_what_is_a_users_own(spec, split):
    assert split_own(spec) == split


def test_it_is_found_and_built_with_its_arguments():
    built = catalogue.build("policies", "mine:Greedy:window=3,name=x")
    assert (type(built).__name__, built.window, built.name) == ("Greedy", 3, "x")
    assert catalogue.build("policies", "mine:Greedy:2").window == 2
    assert catalogue.build("likelihoods", "mine:Mute") is not None


def test_the_configuration_takes_it_without_importing_it():
    """So that `vaesearch sync` needs no module of the user's."""
    assert Config(policy="not_there:Mine").policy == "not_there:Mine"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere:Mine", "no module 'nowhere' can be imported"),
        ("nowhere.at.all:Mine", "no module 'nowhere' can be imported"),
        ("mine.deeper:Mine", r"no module 'mine.deeper' can be imported"),
        ("thomson:Mine", "Did you mean the policy 'thompson'"),
        ("hungry:Mine", "needs 'no_such_package_anywhere', which is not installed"),
        ("torn:Mine", "cannot be imported: SyntaxError"),
        ("angry:Mine", "cannot be imported: RuntimeError: not today"),
        ("mine:Missing", "module 'mine' has no 'Missing'"),
        ("mine:number", "is of type int; name a class"),
        ("mine:Mute", "a Mute has no method `choose`"),
        ("mine:Mute:window=2", "cannot be made: TypeError"),
        ("mine:Greedy:colour=red", "colour"),
        ("mine:Greedy:window=13", "cannot be made: ValueError: thirteen"),
        ("mine:Needy", "cannot be made: TypeError.*window"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(spec, message):
    with pytest.raises(InputError, match=message) as caught:
        catalogue.build("policies", spec)
    assert f"policy {spec!r}" in str(caught.value)


def test_the_example_of_the_guide_runs(here):
    from vaesearch.bandits.synthetic import FAMILIES, run_policy

    guide = Path(__file__).parents[1] / "docs" / "policies.md"
    code, spec = re.search(
        r"## Your own policy.*?```python\n(.*?)```.*?--policy (\S+)", guide.read_text(), re.DOTALL
    ).groups()
    (here / f"{spec.partition(':')[0]}.py").write_text(code)
    curves = FAMILIES["crossing"].draw(0, arms=4, length=40)
    end = run_policy(catalogue.build("policies", spec), curves, 50, seed=0, workers=2)
    assert end.spent == 50
    assert min(a.epochs for a in end.arms) > 3
