"""What may be written, and what is read from it."""

import pytest

from vaesearch.space import Choice, Float, Int, Parameter

FLOWS = """
posterior:
  choices:
    gaussian:
    planar: {steps: {int: [2, 16], step: 2}}
    iaf: {steps: 1..4, hidden: 64}
"""


def only(space):
    (parameter,) = space.parameters
    return parameter


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("latent_dim: {int: [2, 64]}", Int(2, 64)),
        ("latent_dim: {int: [2, 64], log: true}", Int(2, 64, log=True)),
        ("latent_dim: {int: [2, 64], log: true, step: 1}", Int(2, 64, log=True)),
        ("latent_dim: {int: [2, 64], step: 2}", Int(2, 64, step=2)),
        ("latent_dim: 2..64", Int(2, 64)),
        ("latent_dim: 2 .. 64:log", Int(2, 64, log=True)),
        ("latent_dim: 2..64:step=2", Int(2, 64, step=2)),
        ("latent_dim: 1e1..1e2", Int(10, 100)),
        ("latent-dim: 2..64", Int(2, 64)),
        ("learning_rate: {float: [1e-4, 1e-2], log: true}", Float(1e-4, 1e-2, log=True)),
        ("learning_rate: 1e-4..1e-2:log", Float(1e-4, 1e-2, log=True)),
        ("alpha: 0..1", Float(0.0, 1.0)),
        ("beta: {int: [1, 4]}", Int(1, 4)),
        ("beta: {choices: [1, 2.5, 1e1]}", Choice((1.0, 2.5, 10.0))),
        ("batch_size: [16, 32]", Choice((16, 32))),
        ("batch_size: 16, 32", Choice((16, 32))),
        ("posterior: [gaussian, iaf:4]", Choice(("gaussian", "iaf:4"))),
        ("posterior: iaf:steps=4,context=0, planar", Choice(("iaf:steps=4,context=0", "planar"))),
        ("annealing: [none, kl:10]", Choice(("none", "kl:10"))),
        ("regularizer: {choices: {kl: , mmd: , free-bits: }}", Choice(("kl", "mmd", "free-bits"))),
        ("encoder: [conv, 'decimal:Decimal']", Choice(("conv", "decimal:Decimal"))),
    ],
)
def test_domains(read, text, domain):
    assert only(read(text)).domain == domain


def test_scalars_are_constants_of_the_type_of_their_option(read):
    space = read("latent_dim: 2..4\nalpha: 1e-3\nbeta: 2\nposterior: iaf:4\nbatch_size: 64.0")
    assert space.constants == {
        "alpha": 0.001, "beta": 2.0, "posterior": "iaf:4", "batch_size": 64,
    }  # fmt: skip
    assert isinstance(space.constants["beta"], float)
    assert isinstance(space.constants["batch_size"], int)
    assert space.options({"latent_dim": 3}) == {"latent_dim": 3, **space.constants}


def test_defaults_are_read_as_their_domain_writes_them(read):
    assert only(read("alpha: {float: [0, 1], default: 1e-2}")).default == 0.01
    assert only(read("batch_size: {choices: [16, 32], default: 32}")).default == 32


def test_arguments_below_a_choice_are_there_only_with_it(read):
    space = read(FLOWS)
    assert space.parameters == (
        Parameter("posterior", Choice(("gaussian", "planar", "iaf"))),
        Parameter(
            "posterior.planar.steps", Int(2, 16, step=2), 8, when={"posterior": ("planar",)}
        ),
        Parameter("posterior.iaf.steps", Int(1, 4), 4, when={"posterior": ("iaf",)}),
    )
    assert space.constants == {"posterior.iaf.hidden": 64}


def test_arguments_are_joined_to_their_member(read):
    options = read(FLOWS).options
    assert options({"posterior": "gaussian"}) == {"posterior": "gaussian"}
    planar = {"posterior": "planar", "posterior.planar.steps": 8}
    assert options(planar) == {"posterior": "planar:steps=8"}
    iaf = {"posterior": "iaf", "posterior.iaf.steps": 2}
    assert options(iaf) == {"posterior": "iaf:hidden=64,steps=2"}


def test_arguments_of_a_fixed_member_are_always_there(read):
    parameter = only(read("posterior: planar\nposterior.planar.steps: 2..4"))
    assert parameter == Parameter("posterior.planar.steps", Int(2, 4))


def test_arguments_take_the_type_that_the_member_declares(read):
    space = read("regularizer: {choices: {kl: , free-bits: {nats: 0..1}}}")
    assert space.parameters[1].domain == Float(0.0, 1.0)


def test_arguments_of_unknown_type_follow_the_numbers(read):
    text = "likelihood: {choices: {laplace: , gaussian: {variance: %s}}}"
    assert read(text % "1..2").parameters[1].domain == Int(1, 2)
    assert read(text % "0.5..2").parameters[1].domain == Float(0.5, 2.0)
    assert read(text % "[optimal, learned, 0.1]").parameters[1].domain == Choice(
        ("optimal", "learned", 0.1)
    )


def test_conditions_come_after_what_they_are_on_in_whatever_order(read):
    space = read(
        "alpha: {float: [0, 1], when: {posterior: [planar, gaussian], latent_dim: 4}}\n"
        "latent_dim: {int: [2, 4], when: {posterior: [gaussian, iaf]}}\n"
        "posterior: [gaussian, planar, iaf]"
    )
    assert [p.name for p in space.parameters] == ["posterior", "latent_dim", "alpha"]
    alpha = space.parameters[2]
    assert alpha.when == {"posterior": ("planar", "gaussian"), "latent_dim": (4,)}
    assert alpha.is_active({"posterior": "gaussian", "latent_dim": 4})
    assert not alpha.is_active({"posterior": "gaussian", "latent_dim": 3})
    assert not alpha.is_active({"posterior": "planar"})


def test_a_condition_on_a_constant_that_holds_is_no_condition(read):
    assert only(read("posterior: planar\nalpha: {float: [0, 1], when: {posterior: planar}}")) == (
        Parameter("alpha", Float(0.0, 1.0))
    )


def test_a_condition_that_every_choice_meets_is_no_condition(read):
    text = "batch_size: [16, 32]\nlatent_dim: {int: [2, 4], when: {batch_size: [32, 16]}}"
    assert read(text).parameters[1].when == {}
    conditional = (
        "beta: [1, 2]\nbatch_size: {choices: [16, 32], when: {beta: 1}}\n"
        "latent_dim: {int: [2, 4], when: {batch_size: [32, 16]}}"
    )
    assert read(conditional).parameters[2].when == {"batch_size": (32, 16)}


@pytest.mark.parametrize(
    ("text", "components"),
    [
        ("1..64:log", Int(1, 64, log=True)),
        ("{int: [2, 8], step: 2}", Int(2, 8, step=2)),
        ("[1, 8, 32]", Choice((1, 8, 32))),
        ("16", Choice((16,))),
    ],
)
def test_components_are_kept_apart_from_what_is_proposed(read, text, components):
    space = read(f"alpha: 0..1\ngmm_components: {text}")
    assert space.components == components
    assert [p.name for p in space.parameters] == ["alpha"]
    assert "gmm_components" not in space.constants
