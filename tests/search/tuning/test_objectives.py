import pytest

from vaesearch.config import TuneConfig, read_config
from vaesearch.errors import InputError
from vaesearch.search.tuning.objectives import check_objectives
from vaesearch.space import Choice, Parameter, Space


@pytest.mark.parametrize(
    ("objectives", "reward"),
    [
        (("bpd",), "bpd"),
        (("consistency", "bpd"), "bpd"),
        (("mse", "elbo", "parameters"), "elbo"),
        (("reconstruction", "bpd"), "reconstruction"),
    ],
)
def test_arms_are_compared_by_the_first_objective_that_bears_it(objectives, reward):
    config = TuneConfig(objective=objectives)
    assert config.reward == reward
    assert TuneConfig().changed(objective=objectives) == config
    assert read_config(config.to_dict(), source="here") == config
    assert TuneConfig(objective=objectives, reward=reward) == config


def test_several_objectives_have_a_policy_that_ranks():
    sizes = {"images": 1000, "channels": 1}
    assert TuneConfig().resolved(**sizes).policy == "auto"
    assert TuneConfig(objective=("bpd", "kl")).resolved(**sizes).policy == "asha"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"objective": ("consistency",)}, "one of bpd, elbo, reconstruction must be among them"),
        ({"objective": ("bpd", "kl", "bpd")}, "bpd is given twice"),
        ({"objective": ("bpp",)}, "unknown objective"),
        ({"reward": "elbo"}, "use --objective elbo"),
        ({"reward": "bpb"}, "unknown reward"),
        ({"objective": ("bpd", "kl"), "policy": "thompson"}, "use auto, asha"),
        ({"confidence": 0.9}, "--confidence is for `vaesearch bandit`"),
    ],
)
def test_what_cannot_be_optimised_is_refused(options, text):
    with pytest.raises(InputError, match=text):
        TuneConfig(**options)


def space_of(name, *options):
    return Space((Parameter(name, Choice(options)),))


@pytest.mark.parametrize(
    ("objectives", "options", "space", "text"),
    [
        (("bpd", "consistency"), {}, space_of("posterior", "gaussian", "realnvp"), "densities"),
        (("bpd", "consistency"), {"posterior": "realnvp"}, space_of("width", 1, 2), "densities"),
        (("bpd", "consistency"), {}, Space((), {"posterior": "realnvp"}), "densities"),
    ],
)
def test_figures_that_part_of_the_space_lacks_are_refused(objectives, options, space, text):
    config = TuneConfig(objective=objectives, **options)
    with pytest.raises(InputError, match=text):
        check_objectives(config, space)


@pytest.mark.parametrize(
    ("objectives", "space"),
    [
        (("elbo", "consistency"), space_of("posterior", "gaussian", "iaf")),
        (("bpd", "consistency"), space_of("likelihood", "discretized-normal", "beta")),
        (("bpd",), space_of("posterior", "gaussian", "realnvp")),
    ],
)
def test_figures_that_mean_the_same_everywhere_are_taken(objectives, space):
    check_objectives(TuneConfig(objective=objectives), space)
