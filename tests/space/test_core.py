"""Points of a space: defaults, membership, and what is said of values from outside."""

import json

import pytest

from vaesearch.errors import InputError
from vaesearch.records import TrialSettings
from vaesearch.space import Choice, Float, Int, Parameter, Space

SPACE = Space(
    (
        Parameter("posterior", Choice(("gaussian", "planar"))),
        Parameter("posterior.planar.steps", Int(2, 16, step=2), 8, {"posterior": ("planar",)}),
        Parameter("alpha", Float(1e-3, 1.0, log=True), default=1e-2),
        Parameter("latent_dim", Int(2, 64, log=True)),
    ),
    {"beta": 2.0},
    Int(1, 8),
)
SETTINGS = vars(TrialSettings("mlp", latent_dim=16))
POINT = {"posterior": "gaussian", "alpha": 0.5, "latent_dim": 8}


def test_defaults_are_the_spaces_own_or_those_of_the_options():
    assert SPACE.defaults(SETTINGS) == {"posterior": "gaussian", "alpha": 1e-2, "latent_dim": 16}
    assert SPACE.defaults(SETTINGS | {"posterior": "planar"}) == {
        "posterior": "planar", "posterior.planar.steps": 8, "alpha": 1e-2, "latent_dim": 16,
    }  # fmt: skip


def test_no_defaults_where_one_lies_outside_or_is_unknown():
    assert SPACE.defaults(SETTINGS | {"latent_dim": 128}) is None
    assert SPACE.defaults(SETTINGS | {"posterior": "planar:8"}) is None
    assert SPACE.defaults() is None


def test_contains():
    assert SPACE.contains(POINT)
    planar = POINT | {"posterior": "planar"}
    assert not SPACE.contains(planar)  # its steps are missing
    assert SPACE.contains(planar | {"posterior.planar.steps": 4})
    assert not SPACE.contains(planar | {"posterior.planar.steps": 5})
    assert not SPACE.contains(POINT | {"posterior.planar.steps": 4})
    assert not SPACE.contains(POINT | {"alpha": 0.0})
    assert not SPACE.contains(POINT | {"beta": 2.0})
    assert not SPACE.contains({"posterior": "gaussian"})


def test_check_reads_text_and_fills_in_defaults():
    given = {"alpha": "1e-1", "posterior": "planar", "latent_dim": "32.0"}
    assert SPACE.check(given, "--enqueue", SETTINGS) == {
        "posterior": "planar", "posterior.planar.steps": 8, "alpha": 0.1, "latent_dim": 32,
    }  # fmt: skip
    for beta in (2.0, 2, "2", "2.0"):
        assert SPACE.check(POINT | {"beta": beta}, "--enqueue") == POINT


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"latent_dim": 128}, "latent_dim must be in 2..64:log, not 128."),
        ({"latent_dim": 2.5}, "latent_dim must be in 2..64:log, not 2.5."),
        ({"latent_dim": True}, "latent_dim must be in 2..64:log, not True."),
        ({"alpha": float("nan")}, "alpha must be in 0.001..1.0:log, not nan."),
        ({"alpha": None}, "alpha must be in 0.001..1.0:log, not None."),
        ({"posterior": "iaf"}, "posterior must be in [gaussian, planar], not 'iaf'."),
        ({"posterior.planar.steps": 4}, "steps is there only when posterior is planar."),
        (
            {"posterior": "planar", "posterior.planar.steps": 5},
            "posterior.planar.steps must be in 2..16:step=2, not 5.",
        ),
        ({"beta": 1.0}, "the space fixes beta at 2.0, not 1.0."),
    ],
)
def test_check_names_parameter_and_domain(change, said):
    with pytest.raises(InputError) as refusal:
        SPACE.check(POINT | change, "point.yaml")
    assert str(refusal.value).startswith("point.yaml: ")
    assert said in str(refusal.value)


def test_check_of_names():
    with pytest.raises(InputError, match=r"parameter in --from run 'latent_dmi': did you mean"):
        SPACE.check(POINT | {"latent_dmi": 2}, "--from run")
    with pytest.raises(InputError, match=r"latent_dim is missing .* a value in 2..64:log"):
        SPACE.check({"posterior": "gaussian"}, "--enqueue")


def test_plain_data_and_back():
    data = SPACE.to_dict()
    assert Space.from_dict(data) == SPACE
    assert Space.from_dict(json.loads(json.dumps(data))) == SPACE
    assert json.loads(json.dumps(data)) == data
    assert Space.from_dict(Space(SPACE.parameters).to_dict()).components is None


def test_fingerprint_is_of_the_meaning(read):
    first = read(
        "alpha: {float: [0, 1], when: {posterior: [gaussian, planar], batch_size: 16}}\n"
        "posterior: [gaussian, planar, iaf]\nbatch_size: [16, 32]"
    )
    again = read(
        "# said otherwise\nbatch_size: {choices: [16, 32]}\nposterior: gaussian, planar, iaf\n"
        "alpha: {when: {batch_size: [16], posterior: [planar, gaussian]}, float: [0.0, 1.0]}"
    )
    assert first.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    "text",
    ["alpha: 0..2", "alpha: {float: [0, 1], default: 0}", "alpha: 0..1\nbeta: 2",
     "alpha: 0..1\ngmm_components: 4", "beta: 0..1"],
)  # fmt: skip
def test_fingerprint_tells_spaces_apart(read, text):
    assert read(text).fingerprint != read("alpha: 0..1").fingerprint
