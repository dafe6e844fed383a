"""Optuna storages, made once because that takes half a second, and what writes into them."""

import shutil

import pytest

from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.storage import opened


@pytest.fixture(scope="session")
def empty_storage(tmp_path_factory):
    path = tmp_path_factory.mktemp("storage") / "study.db"
    with opened(parse(f"sqlite:///{path}")):
        return path


@pytest.fixture
def database(empty_storage, tmp_path):
    """An empty storage; its name is of the kind that people really have."""
    folder = tmp_path / "my run's ünïcode #1 {v}"
    folder.mkdir()
    shutil.copy(empty_storage, folder / "study.db")
    return folder / "study.db"


@pytest.fixture
def url(database):
    return f"sqlite:///{database}"
