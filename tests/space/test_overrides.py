"""``--set NAME=DOMAIN``: a space changed from the command line."""

import pytest

from vaesearch.errors import InputError
from vaesearch.space import Choice, Float, Int, Parameter

FILE = """
posterior: {choices: {gaussian: , planar: {steps: {int: [2, 16], step: 2}}, iaf: {steps: 1..4}}}
latent_dim: {int: [2, 8], default: 4, when: {posterior: [planar, iaf]}}
beta: 2
"""


def named(space, name):
    return next(p for p in space.parameters if p.name == name)


def test_a_value_makes_a_parameter_constant(read):
    space = read(FILE, "latent_dim=16")
    assert space.constants == {"beta": 2.0, "latent_dim": 16}
    assert "latent_dim" not in [p.name for p in space.parameters]


def test_a_range_makes_a_constant_a_parameter(read):
    space = read(FILE, "beta=1..4")
    assert named(space, "beta").domain == Float(1.0, 4.0)
    assert space.constants == {}


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("alpha=1e-3..1:log", Parameter("alpha", Float(1e-3, 1.0, log=True))),
        ("batch-size = 16, 32", Parameter("batch_size", Choice((16, 32)))),
        ("prior=[standard, gmm:8]", Parameter("prior", Choice(("standard", "gmm:8")))),
    ],
)
def test_parameters_are_added(read, text, parameter):
    assert read(FILE, text).parameters[-1] == parameter


def test_a_new_range_keeps_the_condition_and_a_default_that_is_inside(read):
    when = {"posterior": ("planar", "iaf")}
    assert named(read(FILE, "latent_dim=2..64:log"), "latent_dim") == Parameter(
        "latent_dim", Int(2, 64, log=True), 4, when
    )
    assert named(read(FILE, "latent_dim=8..64"), "latent_dim") == Parameter(
        "latent_dim", Int(8, 64), None, when
    )


def test_nested_names(read):
    space = read(FILE, "posterior.planar.steps=2..8")
    steps = named(space, "posterior.planar.steps")
    assert steps == Parameter("posterior.planar.steps", Int(2, 8), 8, {"posterior": ("planar",)})
    fixed = read(FILE, "posterior.planar.steps=6")
    assert fixed.options({"posterior": "planar"})["posterior"] == "planar:steps=6"
    assert fixed.options({"posterior": "gaussian"})["posterior"] == "gaussian"


def test_arguments_of_a_member_that_is_no_choice_any_more_go_with_it(read):
    space = read(FILE, "posterior=gaussian,planar", "latent_dim=4")
    assert [p.name for p in space.parameters] == ["posterior", "posterior.planar.steps"]
    fixed = read(FILE, "posterior=planar")
    assert named(fixed, "posterior.planar.steps").when == {}
    assert named(fixed, "latent_dim").when == {}


def test_conditions_keep_the_values_that_are_left(read):
    space = read(FILE, "posterior=gaussian,planar")
    assert named(space, "latent_dim").when == {"posterior": ("planar",)}


def test_a_condition_that_cannot_hold_any_more(read):
    said = r"space.yaml:3: latent_dim needs posterior .*fixed at gaussian \(--set posterior=gau"
    with pytest.raises(InputError, match=said):
        read(FILE, "posterior=gaussian")


def test_components(read):
    assert read(FILE, "gmm_components=1..8").components == Int(1, 8)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latent_dim", "write NAME=DOMAIN, as latent_dim=2..64:log"),
        ("=2..4", "write NAME=DOMAIN"),
        ("latent_dim=", "latent_dim is empty"),
        ("latent_dmi=2..4", "did you mean 'latent_dim'"),
        ("latent_dim=4..2", "swap them"),
        ("latent_dim=4..2:step", "is no range|swap them"),
        ("alpha=a,b", "alpha must be a number, not a"),
        ("posterior.radial.steps=1..2", "posterior is in \\[gaussian, planar, iaf\\]"),
        ("posterior.planar.stepz=1..2", "did you mean 'steps'"),
        ("gmm_components=0..2", "at least 1, not 0"),
    ],
)
def test_errors_name_the_option(read, text, said):
    with pytest.raises(InputError, match=said) as refusal:
        read(FILE, text)
    assert str(refusal.value).startswith(f"--set {text}: ")


def test_twice(read):
    with pytest.raises(InputError, match="--set alpha=2: alpha is set twice"):
        read(FILE, "alpha=1", "alpha=2")


def test_nothing_left(read):
    with pytest.raises(InputError, match="nothing is left to search"):
        read("alpha: 0..1", "alpha=0.5")
