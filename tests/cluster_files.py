"""The files of ``cluster/``, read."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "cluster"
LAUNCHER = ("local", "aws", "gcp")
CLOUDS = ("aws", "gcp")


def read(name):
    return yaml.safe_load((FOLDER / name).read_text())


def read_all(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def pins():
    """What constraints.txt pins: {package: version}."""
    lines = (FOLDER / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))
