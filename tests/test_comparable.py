"""What cannot be ranked together does not get into one search."""

from dataclasses import asdict

import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import Config
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, SearchStarted
from vaesearch.records import TrialSettings
from vaesearch.search.arms import newcomers
from vaesearch.search.state import fold

LIKELIHOODS = [entry.name for entry in catalogue.LIKELIHOODS]


@pytest.mark.parametrize("likelihood", [n for n in LIKELIHOODS if n != "bernoulli"])
def test_likelihoods_of_8bit_pixels_refuse_binary_ones(likelihood):
    for arguments in ("", ":pixel"):
        with pytest.raises(InputError, match="is for 8-bit pixels; use bernoulli"):
            Config(likelihood=likelihood + arguments, pixels="binary", reward="elbo")


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_all_arms_of_a_search_have_one_likelihood(likelihood):
    pixels = "binary" if likelihood == "bernoulli" else "8bit"
    config = Config(
        likelihood=likelihood, pixels=pixels, reward="elbo", encoders="2", decoders="3",
        batch_size=8, latent_dim=4,
    )  # fmt: skip
    assert {arm.settings.likelihood for arm in config.arms()} == {likelihood}
    assert len(config.arms()) == 6


def joining(likelihood, reward, first="gaussian"):
    """What happens where an arm joins a search whose first arm has the likelihood ``first``."""
    there = ArmAdded("there", asdict(TrialSettings("mlp", likelihood=first)), 1)
    state = fold([SearchStarted("id", "0.1.0", {"reward": reward}, {}), there], Budget(epochs=6))
    late = ArmAdded("late", asdict(TrialSettings("mlp", likelihood=likelihood)), 1)

    class Source:
        def next_arms(self, state):
            return [late]

    return newcomers(Source(), state)


@pytest.mark.parametrize("reward", ["elbo", "reconstruction"])
def test_nats_of_two_likelihoods_are_not_ranked(reward):
    with pytest.raises(InputError, match=f"--reward {reward} cannot rank laplace beside gaussian"):
        joining("laplace", reward)
    assert len(joining("gaussian", reward)) == 1


def test_bits_of_two_likelihoods_are_ranked_where_both_have_them():
    assert len(joining("laplace", "bpd")) == 1
    with pytest.raises(InputError, match="relaxed-bernoulli has no bits/dim"):
        joining("relaxed-bernoulli", "bpd")
