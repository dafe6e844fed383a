"""What a run directory keeps of its options."""

import pytest
import yaml

from vaesearch.api import run_bandit
from vaesearch.api.writing import config_text, plain
from vaesearch.config import Config, TuneConfig, load_yaml


@pytest.mark.parametrize("url", [
    "postgresql://ann:s3cret@db.example:5432/trials",
    "postgresql+psycopg://ann:s3%40cret@db.example/trials",
])  # fmt: skip
def test_no_password_is_kept_and_the_rest_of_the_address_is(url):
    config = TuneConfig(storage=url)
    kept = plain(config)["storage"]
    assert "cret" not in kept
    assert kept == url[: url.index(":", url.index("://") + 3)] + url[url.index("@") :]
    assert yaml.safe_load(config_text(config))["storage"] == kept
    assert config.storage == url


def test_a_password_behind_the_question_mark_is_not_kept_either():
    url = "postgresql://db/trials?password=s3cret&sslmode=require"
    assert plain(TuneConfig(storage=url))["storage"] == "postgresql://db/trials?sslmode=require"
    url = "postgresql://db/trials?user=ann&password=s3cret"
    assert plain(TuneConfig(storage=url))["storage"] == "postgresql://db/trials?user=ann"


@pytest.mark.parametrize("url", ["sqlite:////tmp/a:b@c/study.db", "none", None])
def test_an_address_without_a_password_is_kept_as_it_is(url):
    assert plain(TuneConfig(storage=url))["storage"] == url


def test_no_password_of_a_tracking_server_is_kept():
    config = Config(tracking_uri="http://ann:s3cret@mlflow.example:5000/x")
    assert plain(config)["tracking_uri"] == "http://ann@mlflow.example:5000/x"
    assert "s3cret" not in config_text(config)


def test_the_server_that_the_environment_names_is_kept_for_who_resumes_without_it(
    tmp_path, monkeypatch
):
    uri = f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    config = Config(
        decoders="mlp", image_size=8, width=0.1, train_limit=64, epochs=1, backend="local"
    )
    run_bandit(config, tmp_path / "run")
    assert load_yaml(tmp_path / "run" / "config.yaml")["tracking_uri"] == uri


def test_several_values_are_a_list_as_json_has_them():
    assert plain(TuneConfig(set=("alpha=0",)))["set"] == ["alpha=0"]
    assert "storage" not in plain(Config())
