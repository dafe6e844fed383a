"""Choices that cannot go together are named before anything is loaded or trained."""

import pytest

from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.space import check_space, refuse_both
from vaesearch.space.points import around, corners

FLOWS = "posterior: [gaussian, planar, realnvp]\n"


def refusal(space, **options):
    with pytest.raises(InputError) as refused:
        check_space(space, TuneConfig(**options))
    return str(refused.value)


@pytest.mark.parametrize("domain", ["1e-3..1:log", "0..1", "[0, 0.5]"])
def test_alpha_and_a_posterior_without_density(read, domain):
    said = refusal(read(f"{FLOWS}alpha: {domain}"))
    assert said.startswith("space: posterior realnvp and alpha ")
    assert "compares densities of z, and --posterior realnvp has none" in said
    assert "Give alpha the condition when: {posterior: [gaussian, planar]}." in said
    assert "Drop realnvp from the choices of posterior." in said


def test_the_condition_that_is_suggested_helps(read):
    space = read(FLOWS + "alpha: {float: [0, 1], when: {posterior: [gaussian, planar]}}")
    check_space(space, TuneConfig())


def test_a_choice_and_an_option_of_the_search(read):
    said = refusal(read(FLOWS + "beta: 1..2"), alpha=0.1)
    assert said.startswith("space: posterior realnvp cannot go with the options of this search:")
    assert "Drop realnvp" in said
    check_space(read(FLOWS + "alpha: 0"), TuneConfig(alpha=0.1))  # the space has the last word


def test_a_ladder_without_its_prior(read):
    text = "posterior: [gaussian, 'ladder:3']\nprior: [standard, 'ladder:3']"
    said = refusal(read(text))
    assert "posterior ladder:3 and prior standard cannot go together" in said
    assert "Give posterior the condition when: {prior: ladder:3}." in said
    conditional = (
        "prior: [standard, 'ladder:3']\n"
        "posterior: {choices: [gaussian, 'ladder:3'], when: {prior: 'ladder:3'}}"
    )
    check_space(read(conditional), TuneConfig())


def test_members_are_named_before_their_arguments(read):
    text = (
        "posterior: {choices: {gaussian: , ladder: {levels: [2, 3]}}}\n"
        "prior: {choices: {standard: , ladder: {levels: [2, 3]}}}"
    )
    assert "posterior ladder and prior standard cannot go together" in refusal(read(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bound: [elbo, iwae:5]\nregularizer: [kl, mmd]", "bound iwae:5 and regularizer mmd"),
        ("bound: [elbo, dreg]\nposterior: [gaussian, planar]", "bound dreg and posterior planar"),
        ("regularizer: [kl, mmd]\nannealing: [none, entropy]", "mmd and annealing entropy"),
        ("likelihood: [gaussian, bernoulli]", "likelihood bernoulli cannot go with the options"),
        ("likelihood: [gaussian, relaxed-bernoulli]", "relaxed-bernoulli has no bits/dim"),
        ("posterior: {choices: {gaussian: , planar: {steps: 0..4}}}", "steps 0: --posterior plan"),
    ],
)
def test_other_pairs(read, text, said):
    assert said in refusal(read(text))


@pytest.mark.parametrize("objective", ["elbo", "reconstruction"])
def test_nats_of_different_likelihoods(read, objective):
    space = read("likelihood: [gaussian, laplace]")
    assert f"--reward {objective} cannot rank gaussian" in refusal(space, objective=(objective,))
    check_space(space, TuneConfig())


def test_networks_are_named_once(read):
    space = read("decoder: [mlp, deconv]\nbeta: 1..2")
    check_space(space, TuneConfig(decoders="mlp"))
    assert "the space names decoder, and --decoders says already" in refusal(space, decoders="2")
    nested = read("decoder: {choices: {mlp: , residual: {blocks: 1..3}}}", "decoder=residual")
    assert "the space names decoder" in refusal(nested, decoders="mlp,deconv")
    fixed = read("beta: 1..2\nencoder: mlp")
    assert "the space names encoder" in refusal(fixed, decoders="2")


def test_an_option_that_the_space_sets_too(read):
    space = read("latent_dim: 2..4\nbeta: 2\ndecoder: [mlp, deconv]")
    for option, flag in (("latent_dim", "--latent-dim"), ("beta", "--beta"),
                         ("decoders", "--decoders")):  # fmt: skip
        with pytest.raises(InputError, match=f"{flag} and the space both set"):
            refuse_both(space, {option: 1})
    refuse_both(space, {"alpha": 1, "epochs": 3})


def test_corners_respect_conditions(read):
    space = read(
        "posterior: {choices: {gaussian: , planar: {steps: 2..4}}}\n"
        "alpha: {float: [0, 1], when: {posterior: gaussian}}"
    )
    assert corners(space) == [
        {"posterior": "gaussian", "alpha": 0.0},
        {"posterior": "gaussian", "alpha": 1.0},
        {"posterior": "planar", "posterior.planar.steps": 2},
        {"posterior": "planar", "posterior.planar.steps": 4},
    ]


BIG = (
    "latent_dim: [2, 4, 8, 16]\nwidth: [0.1, 0.2, 0.4, 0.8]\nbeta: [1, 2, 3, 4]\n"
    "batch_size: [2, 4, 8, 16]\nlearning_rate: [0.1, 0.01, 0.001, 0.0001]\n"
    "posterior: {choices: {gaussian: , planar: {steps: 1..4}, realnvp: {steps: 1..4}}}\n"
    "prior: [standard, gmm, vampprior]\nprecision: [float32, bfloat16]\n"
)


def test_a_space_too_large_to_try_whole(read):
    space = read(BIG + "alpha: {choices: [0, 1], when: {posterior: [gaussian, realnvp]}}")
    points = corners(space)
    assert len(points) < 8000
    assert points == corners(space)
    assert all(space.contains(point) for point in points)
    said = refusal(space)
    assert "posterior realnvp and " in said
    assert "Drop realnvp from the choices of posterior" in said


def test_around_is_each_value_with_the_others_as_usual(read):
    space = read(
        "posterior: {choices: {gaussian: , planar: {steps: {int: [2, 16], step: 2}}}}\n"
        "alpha: {float: [1e-3, 10], log: true}\nbatch_size: [16, 64, 32]"
    )
    tried = list(around(space, {"alpha": 0.0, "batch_size": 16, "posterior": "gaussian"}))
    assert all(space.contains(point) for _, _, point in tried)
    usual = {"posterior": "gaussian", "alpha": pytest.approx(0.1), "batch_size": 16}
    assert tried[0] == ("posterior", "gaussian", usual)
    steps = usual | {"posterior": "planar", "posterior.planar.steps": 8}
    assert tried[1] == ("posterior", "planar", steps)
    assert tried[2][2] == steps | {"posterior.planar.steps": 2}
    assert tried[4] == ("alpha", 0.001, usual | {"alpha": 0.001})
    assert [value for name, value, _ in tried if name == "batch_size"] == [16, 64, 32]
