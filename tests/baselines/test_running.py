"""The baseline from a configuration to its files, and what it refuses."""

import json
from dataclasses import replace

import pytest
import tiny
import yaml

from vaesearch import api
from vaesearch.baselines import run_shared_encoder
from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.config import Config
from vaesearch.data import load_data
from vaesearch.errors import InputError, RunDirError
from vaesearch.pull import load_model

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def config(tmp_path):
    return Config(
        dataset=str(tiny.write_dataset(tmp_path)), shared_encoder=True, image_size=16, width=0.05,
        decoders="mlp,mlp-wide,deconv", encoders="mlp", latent_dim=4, epochs=2, batch_size=32,
    )  # fmt: skip


def without_times(results):
    history = [{k: v for k, v in done.items() if k != "seconds"} for done in results["history"]]
    return {k: v for k, v in results.items() if k != "seconds"} | {"history": history}


def test_a_run_leaves_its_figures_a_table_and_the_best_model(config, tmp_path):
    seen = []
    results = run_shared_encoder(config, tmp_path / "run", observe=seen.append)
    assert [done.number for done in seen] == [1, 2]
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == results
    decoders = results["decoders"]
    images = len(load_data(config).train)
    assert sum(d["draws"] for d in decoders) == results["batches"] == 2 * (images // 32)
    assert sum(d["share"] for d in decoders) == pytest.approx(1)
    order = [d["validation"]["bpd"] for d in decoders]
    assert order == sorted(order)
    assert results["best_decoder"] == decoders[0]["name"]
    assert {"bpd", "elbo"} <= set(decoders[0]["test"])
    assert results["regret"] >= 0
    written = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert written["policy"] == results["policy"] == f"epsilon-greedy:uniform={images // 32}"
    assert written["shared_encoder"] is True
    model = load_model(tmp_path / "run" / "arms" / results["best_decoder"] / "model.pt")
    assert not model.training
    assert results["best_decoder"] in (tmp_path / "run" / "results.md").read_text()


def test_held_out_figures_are_those_of_the_model_that_is_written(config, tmp_path):
    """In evaluation mode, on the same images with the same noise."""
    import torch

    from vaesearch.evaluation import validate

    results = run_shared_encoder(config, tmp_path / "run")
    model = load_model(tmp_path / "run" / "arms" / results["best_decoder"] / "model.pt")
    images = torch.tensor(load_data(config).valid)
    found = validate(model, images, has_mass=True)
    assert found == pytest.approx(results["decoders"][0]["validation"], rel=1e-5)


def test_the_same_seed_gives_the_same_and_its_own_configuration_repeats_it(config, tmp_path):
    first = run_shared_encoder(config, tmp_path / "a")
    again = Config.from_dict(yaml.safe_load((tmp_path / "a" / "config.yaml").read_text()))
    assert without_times(run_shared_encoder(again, tmp_path / "b")) == without_times(first)
    other = run_shared_encoder(replace(config, seed=1), tmp_path / "c")
    assert without_times(other) != without_times(first)


@pytest.mark.parametrize("policy", ["ucb1", "expected-improvement", "successive-halving"])
def test_other_policies_can_draw_the_decoders(config, tmp_path, policy):
    results = run_shared_encoder(replace(config, policy=policy), tmp_path / "run")
    assert results["policy"] == policy
    assert all(d["draws"] > 0 for d in results["decoders"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workers": 2}, "--workers does not go with --shared-encoder"),
        ({"address": "127.0.0.1:6379"}, "--address does not go"),
        ({"gpus_per_worker": 0.5}, "--gpus-per-worker does not go"),
        ({"encoders": "2"}, "--encoders does not go.*share one"),
        ({"seconds": 60.0}, "--seconds does not go.*passes"),
        ({"confidence": 0.9}, "--confidence does not go"),
        ({"max_epochs_per_arm": 3}, "--max-epochs-per-arm does not go"),
        ({"alpha": 1.0}, "--alpha does not go"),
        ({"annealing": "kl:3"}, "--annealing does not go"),
        ({"likelihood": "gaussian:pixel"}, "--likelihood gaussian:pixel does not go.*stages"),
        ({"tracking_uri": "sqlite:///x.db"}, "--tracking-uri does not go.*MLflow"),
        ({"policy": "epsilon-greedy:uniform=-1"}, "uniform must be an integer of at least 0"),
        ({"policy": "nowhere:Policy"}, "no module 'nowhere'"),
        ({"decoders": "mlp,nowhere:Net"}, "nowhere:Net: .*no module 'nowhere'"),
        ({"image_size": 20}, "deconv: this decoder makes images"),
    ],
)
def test_what_it_does_not_do_is_refused_before_anything_is_written(
    config, tmp_path, changes, said
):
    with pytest.raises(InputError, match=said) as caught:
        run_shared_encoder(replace(config, **changes), tmp_path / "run")
    assert len(str(caught.value).splitlines()) <= 2
    assert not (tmp_path / "run").exists()


def test_it_is_neither_resumed_nor_written_over_nor_run_as_a_search(config, tmp_path):
    run_shared_encoder(replace(config, epochs=1), tmp_path / "run")
    with pytest.raises(RunDirError, match="cannot be resumed; anew: vaesearch bandit --config"):
        api.resume(tmp_path / "run")
    with pytest.raises(RunDirError, match="choose another --run-dir"):
        run_shared_encoder(config, tmp_path / "run")
    search = replace(config, shared_encoder=False, backend="local", tracking_uri="none")
    with pytest.raises(RunDirError, match="holds other results"):
        api.run_bandit(search, tmp_path / "run")
    with pytest.raises(InputError, match="is no search"):
        api.run_bandit(config, tmp_path / "other")


def test_an_interrupted_run_starts_anew_in_its_directory(config, tmp_path, capsys):
    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_shared_encoder(config, tmp_path / "run", observe=stop)
    assert not (tmp_path / "run" / "results.json").exists()
    with pytest.raises(RunDirError, match="cannot be resumed"):
        api.resume(tmp_path / "run")
    assert run_shared_encoder(config, tmp_path / "run")["passes"] == 2


def test_the_command_prints_a_table_or_json(config, tmp_path, capsys):
    words = ["bandit", "--shared-encoder", "--dataset", config.dataset, "--epochs", "1",
             *tiny.OPTIONS[:10], "--batch-size", "64"]  # fmt: skip
    assert _status(app, [*words, "--run-dir", str(tmp_path / "a")], debug=True) == 0
    out = capsys.readouterr().out
    assert "[pass 1] bits/dim on validation images: mlp" in out
    assert "Best decoder:" in out
    assert "share" in out
    assert _status(app, [*words, "--run-dir", str(tmp_path / "b"), "--json"], debug=True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["system"] == "shared encoder"
    assert "[pass 1]" in err
