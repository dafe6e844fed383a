"""The page of ``cluster/``: few lines to a running search, commands that parse, real files."""

import re
import shlex

import click
import pytest
from cluster_files import FOLDER, ROOT

from vaesearch.cli.app import app

TEXT = (FOLDER / "README.md").read_text()
SETTINGS = ("One box", "Machines of your own", "AWS", "Google Cloud", "Kubernetes")
MADE = {"cluster/.env", "cluster/wheel"}  # by the commands of the page


def blocks(text):
    """The lines of each block of commands, those that end in a backslash joined."""
    for block in re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield block.replace("\\\n", "").splitlines()


def section(name):
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL).group(1)


def commands(program):
    """Every use of a program in a block, without comments, as words."""
    for lines in blocks(TEXT):
        for line in lines:
            words = shlex.split(line.replace("&&", " ; ").replace("|", " ; "), comments=True)
            while words:
                end = words.index(";") if ";" in words else len(words)
                one, words = words[:end], words[end + 1 :]
                if one and one[0] == program:
                    yield tuple(word for word in one[1:] if word != "&")


@pytest.mark.parametrize("name", SETTINGS)
def test_a_search_runs_in_under_ten_lines(name):
    lines = next(blocks(section(name)))
    raw = re.search(r"^```\n(.*?)^```", section(name), re.MULTILINE | re.DOTALL).group(1)
    assert len(raw.splitlines()) < 10
    assert lines[-1].startswith("vaesearch submit --address http://127.0.0.1:8265 -- bandit ")
    assert any(line.startswith("sh cluster/secrets.sh") for line in lines)
    # The longest line fits on a screen, or is cut.
    assert max(len(line) for line in raw.splitlines()) <= 125


def parse(group, words):
    """As the program would; refuses unknown commands and flags, and runs nothing."""
    name, *rest = words
    command = group.get_command(click.Context(group), name)
    assert command is not None, f"there is no {name}"
    return command.make_context(name, rest)


@pytest.mark.parametrize("words", sorted(set(commands("vaesearch"))))
def test_vaesearch_understands(words):
    context = parse(app, words)
    if words[0] == "submit":
        inner = words[words.index("--") + 1 :]
        assert tuple(context.params["command"]) == inner
        parse(app, inner)


@pytest.mark.parametrize("words", sorted(set(commands("ray"))))
def test_ray_understands(words):
    from ray.scripts.scripts import cli

    context = parse(cli, words)
    [file] = [value for name, value in context.params.items() if name == "cluster_config_file"]
    assert (ROOT / file).exists()


def test_commands_are_there_at_all():
    assert len(set(commands("vaesearch"))) >= 8
    assert {words[0] for words in commands("ray")} == {"up", "dashboard", "down"}


def test_files_exist():
    named = set(re.findall(r"(?<!\w)cluster/[\w./-]*\w", TEXT)) - MADE
    assert not [path for path in named if not (ROOT / path).exists()]
    short = re.findall(r"`([\w-]+\.(?:yaml|sh|txt))`", TEXT)
    places = (FOLDER, FOLDER / "kubernetes")
    assert not [name for name in short if not any((place / name).exists() for place in places)]


def test_every_file_is_used_or_named():
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    there = {path for path in there if not path.startswith(("wheel/", ".env"))} - {"README.md"}
    listed = "".join(path.read_text() for path in FOLDER.rglob("*.yaml")) + TEXT
    assert not [path for path in there if path.rpartition("/")[2] not in listed]


def test_numbers_are_those_of_the_files():
    from cluster_files import read

    for name in ("aws", "gcp"):
        config = read(f"{name}.yaml")
        assert config["max_workers"] == 8
        assert config["idle_timeout_minutes"] == 5
        assert config["available_node_types"]["on_demand"]["max_workers"] == 2
    spec = read("kubernetes/raycluster.yaml")["spec"]
    assert max(group["maxReplicas"] for group in spec["workerGroupSpecs"]) == 8
    assert spec["autoscalerOptions"]["idleTimeoutSeconds"] == 300
    assert read("kubernetes/rayjob.yaml")["spec"]["backoffLimit"] == 5
    region = re.search(r"--region (\S+)", section("AWS")).group(1)
    assert region == read("aws.yaml")["provider"]["region"]
    assert re.search(r"--location (\S+)", TEXT).group(1) == read("gcp.yaml")["provider"]["region"]
