"""The example of the guide as a user runs it: search, resume, and the model back from its file."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import tiny

from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.errors import InputError
from vaesearch.pull import load_model
from vaesearch.specs import folder_name, split_list

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_networks" / "my_nets.py"
ARMS = ["mlp", "my_nets:MyDecoder", "my_nets:MyDecoder:depth=3"]


TAGGED = """
from my_nets import MyDecoder, MyEncoder

class Looking(MyEncoder):
    "Looks at values, in its forward pass and while it is made."
    def __init__(self, shape):
        super().__init__(shape=shape)
        self.gain = float(next(self.parameters()).abs().max())

    def forward(self, x):
        return super().forward(x / 255 if x.max().item() > 1 else x / self.gain)

class Branching(MyDecoder):
    def forward(self, z):
        return super().forward(z if z.sum().item() > 0 else -z)

class Tagged(MyDecoder):
    def __init__(self, tag="", **sizes):
        super().__init__(**sizes)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the example in it; modules from there are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "tagged.py").write_text(TAGGED)
    yield tmp_path
    forget()


def forget():
    for name in ("my_nets", "tagged"):
        sys.modules.pop(name, None)


def words(*more):
    """The command of the guide, on fewer images."""
    guide = (ROOT / "docs" / "own_modules.md").read_text()
    command = re.search(r"^vaesearch (bandit .*my_nets.*)$", guide, re.MULTILINE)[1]
    small = ("--epochs", "4", "--train-limit", "200")
    return [*shlex.split(command), *small, *map(str, more)]


LOCAL = ("--backend", "local", "--tracking-uri", "none", "--run-dir", "run")


def say(*words):
    """The status of a command in this process."""
    return _status(app, [str(word) for word in words], debug=False)


def test_the_guide_and_the_example_say_the_same():
    text = EXAMPLE.read_text().replace("\\\n    ", "")
    command = next(line.strip() for line in text.splitlines() if "vaesearch bandit --" in line)
    shown = shlex.split(command)[1:]
    assert shown[1:] == words()[1 : len(shown)]


def test_search_resume_and_load(here):
    assert say(*words("--policy", "uniform", *LOCAL)) == 0
    forget()
    assert say("resume", "run", "--epochs", "6") == 0
    results = json.loads((here / "run" / "results.json").read_text())
    assert sorted(arm["name"] for arm in results["arms"]) == ARMS
    assert [arm["epochs"] for arm in results["arms"]] == [2, 2, 2]
    for name in ARMS:
        folder = here / "run" / "arms" / folder_name(name)
        assert (folder / "samples.png").exists()
        assert type(load_model(folder / "model.pt").encoder).__name__ == "MyEncoder"
    folders = {path.name for path in (here / "run" / "checkpoints").iterdir()}
    assert folders == {"mlp", "my_nets_MyDecoder", "my_nets_MyDecoder_depth=3"}


def test_networks_that_look_at_values_are_trained_all_the_same(here):
    networks = ("--encoders", "tagged:Looking", "--decoders", "tagged:Branching")
    assert say(*words(*networks, "--epochs", "1", *LOCAL)) == 0
    assert json.loads((here / "run" / "results.json").read_text())["epochs"] == 1


def test_a_model_whose_module_is_gone_says_so(here, tmp_path_factory, monkeypatch, capsys):
    assert say(*words("--epochs", "1", *LOCAL)) == 0
    (model,) = (here / "run").glob("arms/*/model.pt")
    forget()
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(here)])
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(InputError, match="no module 'my_nets' can be imported"):
        load_model(model)
    assert say("resume", here / "run", "--epochs", "3") == 2
    assert "no module 'my_nets' can be imported" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ray_workers_and_mlflow_find_the_modules(here):
    done = tiny.run(*words("--run-dir", "run", "--workers", "2"), cache=here, cwd=here)
    assert done.returncode == 0, done.stderr
    results = json.loads((here / "run" / "results.json").read_text())
    assert results["epochs"] == 4
    assert not any(arm["note"] for arm in results["arms"])
    assert json.loads((here / "run" / "tracking.json").read_text())["complete"]
    assert not (here / "run" / "tracking.log").read_text().strip()


@pytest.mark.parametrize(
    ("decoders", "said"),
    [
        ("mlp,no_nets:Net", "no_nets:Net: decoder 'no_nets:Net': no module 'no_nets'"),
        ("my_nets:Net", "module 'my_nets' has no 'Net'"),
        ("my_nets:MyEncoder", "decoder 'my_nets:MyEncoder' fails on [2, 16]"),
        ("my_nets:MyDecoder:depth=x", "my_nets:MyDecoder:depth=x: decoder"),
        ("mlp,tagged:Tagged:tag=a/b,tagged:Tagged:tag=a:b", "would share the folder"),
    ],
)
def test_a_mistake_is_said_before_anything_is_written(here, capsys, decoders, said):
    assert say(*words("--decoders", decoders, *LOCAL)) == 2
    written = capsys.readouterr().err
    assert said in written
    assert len(written.strip().splitlines()) <= 2
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("a,b", ["a", "b"]),
        ("m:A:x=1,y=2,b", ["m:A:x=1,y=2", "b"]),
        ("m:A:3,4,conv", ["m:A:3,4", "conv"]),
        ("m:A,m:B", ["m:A", "m:B"]),
        (" a , ,b,", ["a", "b"]),
        ("a,x=1", ["a", "x=1"]),
    ],
)
def test_a_comma_between_arguments_does_not_part_a_member(text, members):
    assert split_list(text) == members


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("deconv-deep", "deconv-deep"),
        ("conv+mlp", "conv+mlp"),
        ("m:A:p=../../x", "m_A_p=.._.._x"),
        ("..", "_"),
        ("/etc", "_etc"),
    ],
)
def test_a_folder_stays_inside_its_run(name, folder):
    assert folder_name(name) == folder
