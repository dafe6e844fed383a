"""The Dockerfile: every file and extra that it names exists, every command of it is installed."""

import re
import shlex
import subprocess
import sys
import tomllib

import pytest
from box import COMPOSE
from cluster_files import FOLDER, ROOT, pins, read, read_all
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions():
    """(instruction, rest) of each, lines joined, comments left out."""
    text = (FOLDER / "Dockerfile").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in text.replace("\\\n", "").splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, " ".join(rest.split())


FILE = list(instructions())


def test_instructions_are_known_and_the_base_is_pinned():
    allowed = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "CMD"}
    assert {name for name, _ in FILE} <= allowed
    [base] = [rest for name, rest in FILE if name == "FROM"]
    name, _, tag = base.partition(":")
    assert name == "python"
    version = re.match(r"(\d+\.\d+)-slim-\w+$", tag).group(1)
    assert version in SpecifierSet(PROJECT["requires-python"])


def copied():
    return [source for name, rest in FILE if name == "COPY" for source in rest.split()[:-1]]


def test_what_is_copied_exists_and_is_sent_to_the_builder():
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    assert "*" in rules
    assert set(copied()) == sent
    assert all((ROOT / path).exists() for path in copied())
    # All that hatch needs to build the wheel.
    built = {PROJECT["readme"], *PROJECT["license-files"], "vaesearch", "search_spaces"}
    assert built <= set(copied())


def test_dependencies_come_before_the_code():
    steps = [rest for name, rest in FILE if name in ("RUN", "COPY")]
    heavy = next(i for i, rest in enumerate(steps) if "--requirement" in rest)
    code = next(i for i, rest in enumerate(steps) if rest.startswith("vaesearch "))
    assert heavy < code


def test_the_list_of_requirements_is_that_of_the_project():
    [run] = [rest for name, rest in FILE if name == "RUN" and "tomllib" in rest]
    words = shlex.split(run[: run.index("> requirements.txt")])
    assert words[:2] == ["python", "-c"]
    said = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, stdout=-1, text=True, check=True)
    listed = {Requirement(line).name for line in said.stdout.splitlines()}
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["s3"], *extras["gcs"], *extras["postgresql"]]
    assert listed == {Requirement(one).name for one in wanted}


def test_extras_exist():
    named = re.search(r"'\.\[([\w,]+)\]'", (FOLDER / "Dockerfile").read_text()).group(1)
    assert (
        set(named.split(","))
        == {"s3", "gcs", "postgresql"}
        <= set(PROJECT["optional-dependencies"])
    )


def test_it_does_not_run_as_root():
    users = [rest for name, rest in FILE if name == "USER"]
    assert users[-1] not in ("root", "0")
    assert FILE[-1][0] == "CMD"


def test_programs_that_containers_start_are_of_packages_that_it_installs():
    """Names of `console_scripts`, of what is installed here, by package."""
    from importlib.metadata import entry_points

    scripts = {one.name: one.dist.name for one in entry_points(group="console_scripts")}
    words = [service["command"] for service in COMPOSE["services"].values() if "build" in service]
    for name in ("mlflow", "optuna-dashboard"):
        for document in read_all(f"kubernetes/{name}.yaml"):
            if document["kind"] == "Deployment":
                words += [document["spec"]["template"]["spec"]["containers"][0]["command"]]
    words += [shlex.split(read("kubernetes/rayjob.yaml")["spec"]["entrypoint"])]
    text = (FOLDER / "Dockerfile").read_text()
    for command in words:
        programs = command[:1]
        if programs == ["sh"]:
            programs = [
                part.split()[0] for part in re.split("&&|exec", command[2]) if part.split()
            ]
        for program in programs:
            package = scripts[program]
            ours = {Requirement(one).name for one in PROJECT["dependencies"]} | {"vaesearch"}
            assert package in ours or package in text, program


def test_pins_are_within_what_the_project_allows():
    wanted = [Requirement(one) for one in PROJECT["dependencies"]]
    wanted += [Requirement(one) for one in PROJECT["optional-dependencies"]["test"]]
    for requirement in wanted:
        if pin := pins().get(requirement.name):
            assert pin in requirement.specifier, requirement.name
    assert {"ray", "torch", "torchvision", "mlflow", "optuna"} <= set(pins())


def test_pins_go_together():
    """By what the packages say of each other, as far as they are installed in these versions."""
    from importlib.metadata import PackageNotFoundError, requires, version

    looked_at = 0
    for name, pin in pins().items():
        try:
            if version(name) != pin:
                continue
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, requires(name) or []):
            # Of extras only those that are asked for.
            there = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if there and (other := pins().get(requirement.name)):
                assert other in requirement.specifier, f"{name} {pin} wants {requirement}"
                looked_at += 1
    if not looked_at:
        pytest.skip("none of the pinned versions is installed here")
