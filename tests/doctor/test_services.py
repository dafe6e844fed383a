import numpy as np
import pytest

from vaesearch.doctor.core import Question
from vaesearch.doctor.services import look_data, look_optuna


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))


def data(name, **more):
    [found] = look_data(Question(dataset=name, **more))
    return found


def test_data_that_is_there(tmp_path):
    assert data("digits").state == "ok"
    np.savez(tmp_path / "own.npz", x_train=np.zeros((4, 8, 8), np.uint8))
    assert data(str(tmp_path / "own.npz")).state == "ok"
    assert data("own", data_dir=str(tmp_path)).state == "ok"
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    assert data("mnist", data_dir=str(tmp_path)).state == "ok"


def test_data_that_is_not():
    assert data("cifar10").state == "warning"
    assert "put cifar10.npz there" in data("cifar10").cure
    assert data("cifr10").state == "FAIL"
    assert data("missing.npz").state == "FAIL"


def optuna(storage):
    [found] = look_optuna(Question(storage=storage))
    return found


def test_the_optuna_storage(tmp_path):
    assert optuna(None).state == "ok"
    assert optuna("none").state == "ok"
    assert optuna(f"sqlite:///{tmp_path}/study.db").seen.endswith("(to be made)")
    assert optuna(f"sqlite:///{tmp_path}/no/study.db").state == "FAIL"
    assert optuna("redis://x").state == "FAIL"
    assert not (tmp_path / "study.db").exists()


def test_a_database_that_does_not_answer_and_its_password():
    found = optuna("postgresql://me:secret@127.0.0.1:1/x")
    assert found.state == "FAIL"
    assert "secret" not in found.seen
    assert found.cure
