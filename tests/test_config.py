import math
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from vaesearch import catalogue
from vaesearch.compatibility import has_mass
from vaesearch.config import Config, default_batch_size, load_yaml
from vaesearch.errors import InputError
from vaesearch.records import TrialSettings


@pytest.fixture
def default():
    return Config()


def test_plain_data_and_back(default):
    config = Config(decoders="mlp,deconv", epochs=7, alpha=0.5, dataset="mnist")
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_dict(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config
    assert Config.from_dict({}) == default


@pytest.mark.parametrize(
    ("key", "near"), [("decoder", "decoders"), ("learning-rat", "learning_rate")]
)
def test_unknown_key_is_refused_with_the_nearest(key, near):
    with pytest.raises(InputError, match=f"key in search.yaml .* did you mean '{near}'"):
        Config.from_dict({key: 1}, source="search.yaml")


@pytest.mark.parametrize(
    ("key", "given", "taken"),
    [
        ("decoders", 3, "3"),
        ("decoders", ["mlp", "deconv"], "mlp,deconv"),
        ("encoders", ("conv",), "conv"),
        ("alpha", 1, 1.0),
        ("learning-rate", 0.01, 0.01),
        ("seconds", 60, 60.0),
        ("epochs", 5, 5),
        ("epochs", None, None),
        ("width", None, 0.25),
        ("tracking-uri", "none", "none"),
    ],
)
def test_what_yaml_makes_of_a_value_is_taken(key, given, taken):
    value = getattr(Config.from_dict({key: given}), key.replace("-", "_"))
    assert value == taken
    assert type(value) is type(taken)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", "ten"), ("epochs", 1.5), ("epochs", True), ("alpha", "1"), ("alpha", False),
        ("dataset", 1.5), ("dataset", True), ("seed", [1]), ("width", {}), ("dataset", ["a"]),
    ],
)  # fmt: skip
def test_value_of_another_kind_is_refused(key, value):
    with pytest.raises(InputError, match=rf"{key} must be \w+, not"):
        Config.from_dict({key: value})


@pytest.mark.parametrize(
    "name",
    [
        "epochs", "seconds", "max_epochs_per_arm", "chunk", "workers", "train_limit", "batch_size",
        "latent_dim", "image_size", "width", "learning_rate", "gpus_per_worker",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_sizes_must_be_above_zero(name, value):
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be above 0"):
        Config(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -0.1}, "--alpha must be 0 or above"),
        ({"alpha": math.nan}, "--alpha must be 0 or above"),
        ({"confidence": 0.5}, "--confidence must be above 0.5 and below 1, not 0.5"),
        ({"confidence": 1.0}, "--confidence must be above 0.5 and below 1, not 1"),
        ({"confidence": math.nan}, "--confidence must be above 0.5"),
        ({"batch_size": 1}, "--batch-size must be at least 2"),
        ({"backend": "local", "workers": 2}, "use --backend ray"),
        ({"backend": "lokal"}, "did you mean 'local'"),
        ({"pixels": "16bit"}, "did you mean '8bit'"),
        ({"precision": "float16"}, "did you mean"),
        ({"policy": "tompson"}, "did you mean 'thompson'"),
        ({"likelihood": "gausian:0.1"}, "did you mean 'gaussian'"),
        ({"posterior": "flow"}, "Allowed: .*gaussian"),
        ({"reward": "bits"}, "Allowed: bpd"),
        ({"decoders": "0"}, "there are 12, ask for 1 to that many"),
        ({"decoders": "99"}, "there are 12"),
        ({"decoders": "-1"}, "there are 12"),
        ({"decoders": "²"}, "unknown decoder"),
        ({"encoders": " , "}, "encoders is empty"),
        ({"decoders": "mlp,deconv,mlp"}, "'mlp' is given twice"),
        ({"decoders": "mlp,decnov"}, "did you mean 'deconv'"),
        ({"pixels": "binary"}, "use bernoulli with --pixels binary"),
        ({"likelihood": "bernoulli"}, "add --pixels binary, or use relaxed-bernoulli"),
        ({"likelihood": "relaxed-bernoulli"}, "add --reward elbo"),
        ({"beta": -1.0}, "--beta must be 0 or above"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, message):
    with pytest.raises(InputError, match=message):
        Config(**options)


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [
        ("bernoulli", True),
        ("relaxed-bernoulli", False),
        ("gaussian:0.1", True),
        ("discretized-normal", True),
        ("mine.nets:Likelihood", True),
    ],
)
def test_which_likelihood_is_a_mass(likelihood, expected):
    assert has_mass(TrialSettings("mlp", likelihood=likelihood)) is expected


@pytest.mark.parametrize("reward", ["elbo", "reconstruction"])
def test_relaxed_bernoulli_has_other_rewards(reward):
    assert Config(likelihood="relaxed-bernoulli", reward=reward).reward == reward
    assert Config(likelihood="bernoulli", pixels="binary").reward == "bpd"


def test_resolved_fills_in_what_depends_on_the_data(default, tmp_path):
    grey = default.resolved(images=1000, channels=1)
    assert (grey.batch_size, grey.latent_dim, grey.epochs) == (32, 16, 100)
    colour = default.resolved(images=50_000, channels=3)
    assert (colour.batch_size, colour.latent_dim) == (128, 64)
    assert Path(grey.data_dir).is_absolute()
    assert grey.dataset == "digits"
    assert grey.resolved(images=5, channels=3) == grey
    given = Config(batch_size=7, latent_dim=5, seconds=9.0).resolved(images=1000, channels=1)
    assert (given.batch_size, given.latent_dim, given.epochs) == (7, 5, None)
    pairs = Config(decoders="2", encoders="2").resolved(images=1000, channels=1)
    assert pairs.epochs == 80


def test_resolved_pins_the_place_of_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("set.npz").touch()
    resolved = Config(dataset="set.npz").resolved(images=10, channels=1)
    assert resolved.dataset == str(tmp_path / "set.npz")


@pytest.mark.parametrize(
    ("images", "size"), [(1, 16), (479, 16), (960, 32), (3840, 128), (10**9, 128)]
)
def test_default_batch_size(images, size):
    assert default_batch_size(images) == size


def arms(**options):
    return Config(**options).resolved(images=1000, channels=1).arms()


def test_arms_are_named_by_what_tells_them_apart():
    assert [a.name for a in arms()] == [e.name for e in catalogue.DECODERS[:5]]
    assert [a.name for a in arms(encoders="mlp", decoders="deconv,mlp")] == ["deconv", "mlp"]
    pairs = arms(encoders="2", decoders="2")
    assert [a.name for a in pairs] == ["conv+mlp", "conv+mlp-wide", "mlp+mlp", "mlp+mlp-wide"]
    assert [(a.settings.encoder, a.settings.decoder) for a in pairs] == [
        tuple(a.name.split("+")) for a in pairs
    ]


def test_arms_carry_every_setting():
    given = {"latent_dim": 5, "width": 0.5, "alpha": 2.0, "learning_rate": 0.1, "batch_size": 9,
             "precision": "bfloat16", "likelihood": "gaussian:0.1", "beta": 3.0}  # fmt: skip
    (arm,) = arms(decoders="1", **given)
    named = {"encoder", "decoder", "posterior", "prior", "bound", "regularizer", "annealing"}
    names = {f.name for f in fields(TrialSettings)} - named
    assert names == set(given)
    assert {name: getattr(arm.settings, name) for name in names} == given


def test_change_leaves_the_rest():
    config = Config(epochs=5).changed(alpha=1.0, epochs=None, width=0.5)
    assert (config.epochs, config.alpha, config.width) == (5, 1.0, 0.5)


def test_every_option_has_a_help_text():
    assert all(f.metadata.get("help") for f in fields(Config))


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "is not YAML"), ("- a\n- b", "not a list"), ("", "not a NoneType")],
)
def test_file_that_is_no_mapping_is_refused(tmp_path, text, message):
    path = tmp_path / "search.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_yaml(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load_yaml(tmp_path / "search.yaml")
