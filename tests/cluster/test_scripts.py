"""The two shell scripts: what they write, and the environment that nodes get."""

import shutil
import subprocess

import pytest
import yaml
from cluster_files import FOLDER


@pytest.fixture
def node(tmp_path):
    """A machine to which the launcher has copied the folder; runs a line of shell there."""
    folder = tmp_path / "vaesearch"
    folder.mkdir()
    for name in ("secrets.sh", "node.sh", ".env.example"):
        shutil.copy(FOLDER / name, folder)

    def run(line, shell="sh", **variables):
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"} | variables
        return subprocess.run(
            [shell, "-c", line], env=environment, capture_output=True, text=True, check=False
        )

    run.home = tmp_path
    return run


def settings(node):
    lines = (node.home / "vaesearch" / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_secrets_are_new_private_and_stay(node):
    assert node("sh ~/vaesearch/secrets.sh s3://pictures/runs").returncode == 0
    first = settings(node)
    example = (FOLDER / ".env.example").read_text()
    assert all(f"\n{name}=" in example for name in first)
    assert first["VAESEARCH_RUNS"] == "s3://pictures/runs"
    assert all(len(first[name]) >= 12 for name in first if "PASSWORD" in name or "KEY" in name)
    token = node.home / ".ray" / "auth_token"
    assert token.read_text() == first["RAY_AUTH_TOKEN"]
    for path in (token, node.home / "vaesearch" / ".env"):
        assert path.stat().st_mode & 0o077 == 0

    assert node("sh ~/vaesearch/secrets.sh s3://other/runs").returncode == 0
    assert settings(node) == first


def test_the_token_that_ray_has_already_is_taken(node):
    (node.home / ".ray").mkdir()
    (node.home / ".ray" / "auth_token").write_text("of this person")
    node("sh ~/vaesearch/secrets.sh")
    assert settings(node)["RAY_AUTH_TOKEN"] == "of this person"
    assert settings(node)["VAESEARCH_RUNS"] == "/runs"


def test_another_machine_gets_other_secrets(node, tmp_path):
    node("sh ~/vaesearch/secrets.sh")
    first = settings(node)
    (node.home / "vaesearch" / ".env").unlink()
    node("sh ~/vaesearch/secrets.sh")
    assert settings(node)["PGPASSWORD"] != first["PGPASSWORD"]


def test_the_same_as_a_secret_of_kubernetes(node):
    kubernetes = pytest.importorskip("kubernetes_validate")
    refused = node("sh ~/vaesearch/secrets.sh --kubernetes")
    assert (refused.returncode, refused.stdout) == (2, "")
    node("sh ~/vaesearch/secrets.sh gs://pictures/runs")
    secret = yaml.safe_load(node("sh ~/vaesearch/secrets.sh --kubernetes").stdout)
    kubernetes.validate(secret, "1.33", strict=True)
    assert secret["metadata"] == {"name": "vaesearch", "namespace": "vaesearch"}
    token = settings(node)["RAY_AUTH_TOKEN"]
    assert secret["stringData"] == settings(node) | {"auth_token": token}


def test_what_people_write_by_hand_is_quoted_and_told_once(node):
    """As of .env.example, which has the keys without values, with lines below."""
    odd = """it's "so": $x # {}\\n"""
    lines = ["# A=1", "PGPASSWORD=", "MORE=first", f"PGPASSWORD={odd}", "MORE=yes", "EMPTY=",
             "RAY_AUTH_TOKEN=a'b", "AWS_S3_2='5 6'"]  # fmt: skip
    (node.home / "vaesearch" / ".env").write_text("\n".join(lines) + "\n")
    said = node("sh ~/vaesearch/secrets.sh --kubernetes")
    assert said.stdout.count("PGPASSWORD") == said.stdout.count("MORE") == 1
    assert yaml.safe_load(said.stdout)["stringData"] == {
        "PGPASSWORD": odd, "MORE": "yes", "RAY_AUTH_TOKEN": "a'b", "AWS_S3_2": "5 6",
        "auth_token": "a'b",
    }  # fmt: skip


def test_a_wrong_option_is_refused(node):
    said = node("sh ~/vaesearch/secrets.sh --help")
    assert said.returncode == 2
    assert "usage" in said.stderr
    assert not (node.home / "vaesearch" / ".env").exists()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_nodes_know_token_storage_and_mlflow(node, shell):
    node("sh ~/vaesearch/secrets.sh s3://pictures/runs")
    show = '. ~/vaesearch/node.sh; env; echo "$PATH"'
    head = node(show, shell).stdout
    assert "RAY_AUTH_MODE=token\n" in head
    assert f"RAY_AUTH_TOKEN={settings(node)['RAY_AUTH_TOKEN']}\n" in head
    assert "VAESEARCH_RUNS=s3://pictures/runs\n" in head
    assert "MLFLOW_TRACKING_URI=http://127.0.0.1:5000\n" in head
    assert head.splitlines()[-1].startswith(f"{node.home}/venv/bin:")
    # Of a worker, whose ~/.bashrc has set it before Ray says where the head is.
    worker = node(f". ~/vaesearch/node.sh; export RAY_HEAD_IP=192.0.2.10; {show}", shell).stdout
    assert "MLFLOW_TRACKING_URI=http://192.0.2.10:5000\n" in worker


def test_an_mlflow_of_ones_own_wins(node):
    node("sh ~/vaesearch/secrets.sh s3://pictures/runs")
    with (node.home / "vaesearch" / ".env").open("a") as file:
        file.write("MLFLOW_TRACKING_URI=https://mlflow.example\n")
    said = node(". ~/vaesearch/node.sh; echo $MLFLOW_TRACKING_URI", RAY_HEAD_IP="192.0.2.10")
    assert said.stdout == "https://mlflow.example\n"


def test_mlflow_does_not_start_without_a_password(node):
    said = node("sh ~/vaesearch/node.sh mlflow", VAESEARCH_RUNS="/runs", MLFLOW_PORT="1")
    assert said.returncode != 0
    assert "MLFLOW_TRACKING_PASSWORD" in said.stderr
    assert not (node.home / "mlflow").exists()


def test_mlflow_answers_to_the_names_of_its_machine(node):
    """With a program in the place of MLflow's that writes down how it was started."""
    programs = node.home / "venv" / "bin"
    programs.mkdir(parents=True)
    for name, text in {
        "mlflow": 'echo "$*" >~/started.new; mv ~/started.new ~/started',
        "python": "exit 1",  # nothing answers yet
        "hostname": (
            'case "$1" in -f) echo h.example ;; -I) echo 203.0.113.5 fd00::2 ;; "") echo h ;; esac'
        ),
    }.items():  # fmt: skip
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    node("sh ~/vaesearch/secrets.sh s3://pictures/runs")
    node("echo MLFLOW_HOSTS=m.example >>~/vaesearch/.env")
    wait = "for i in $(seq 500); do [ -f ~/started ] && break; sleep 0.02; done"
    said = node(f"sh ~/vaesearch/node.sh mlflow && {wait}")
    assert said.returncode == 0, said.stderr
    words = (node.home / "started").read_text().split()
    assert words[words.index("--allowed-hosts") + 1].split(",") == [
        "localhost:*", "127.0.0.1:*", "h:5000", "h.example:5000", "203.0.113.5:5000",
        "[fd00::2]:5000", "m.example",
    ]  # fmt: skip
