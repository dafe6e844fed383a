"""The arithmetic of the page on decoder variance, and how it says what is the same."""

import math

import pytest
import torch
import variance_page
from decoder_variance import Scale, codes, table_4
from published_variance import IWAE
from shared import as_data

from vaesearch.evaluation.subject import Subject
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings


def test_ceiling_is_the_density_of_images_without_an_error():
    mean = torch.zeros(784)
    for variance in (0.5, 1.0):
        density = torch.distributions.Normal(mean, variance**0.5).log_prob(mean).sum().item()
        assert variance_page.ceiling(variance) == pytest.approx(density, rel=1e-6)
    assert variance_page.ceiling(0.5) == pytest.approx(-448.7, abs=0.05)
    assert variance_page.ceiling(1) == pytest.approx(-720.4, abs=0.05)


def test_implied_variance_gives_the_bound_back():
    bound = IWAE["dataset"][0]
    variance = variance_page.implied_variance(bound)
    expected = variance_page.ceiling(variance) - 784 / 2  # SSE / (2 variance) at the optimum
    assert bound == pytest.approx(expected)
    assert variance == pytest.approx(0.0021, abs=5e-5)


def test_their_bound_of_pixels_is_above_their_own_ceiling():
    floor = variance_page.implied_variance(IWAE["dataset"][0]) / 2
    assert IWAE["pixel"][0] > variance_page.ceiling(floor) + 4000


def figure(value, error=0.1):
    return {"value": value, "error": error, "count": 9}


def swept(prior, mixture, behind=5.0, variance=0.1):
    return {
        "variance": variance,
        "elbo": figure(1.0),
        "behind": figure(behind),
        "fid_prior": figure(prior),
        "fid_gmm": figure(mixture),
        "aggregate_kl": figure(1.0),
    }


def same(sweep):
    """The last column of the claims."""
    return [row.split("|")[-2].strip() for row in variance_page.claims(sweep).splitlines()[2:]]


def test_claims_are_the_same_only_where_all_of_it_holds():
    sweep = {
        "1": swept(20, 10, variance=1.0),
        "learned": swept(30, 6, behind=0.0, variance=0.02),
        "0.01": swept(90, 5, variance=0.01),
    }
    assert same(sweep) == ["yes", "no", "yes", "yes"]
    assert same(sweep | {"0.5": swept(20, 4, 0.1, 0.5)}) == ["no", "no", "yes", "yes"]
    assert same(sweep | {"0.5": swept(9, 9, variance=0.5)}) == ["yes", "yes", "no", "no"]


@pytest.fixture
def subject():
    images = torch.randint(0, 256, (40, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    images = images.byte().numpy()
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=2, width=0.1)
    data = as_data("noise", images, images[:30], binary=False)
    return Subject(build_model(settings, data.shape), data)


def test_codes_are_of_every_training_image_alike(subject):
    z = codes(subject, 100)
    assert z.shape == (100, 2)
    assert not torch.equal(z[:40], z[40:80])
    means = subject.model.encode(subject.train / 255).mean
    assert ((z[:80].view(2, 40, 2).mean(dim=0) - means).abs() < 5).all()


def test_table_4_has_a_row_for_each_mixture(subject):
    found = table_4(subject, lambda x: x.flatten(1)[:, :3], Scale(samples=60, mixtures=(1, 3)))
    assert [row["components"] for row in found["fitted"]] == [1, 3]
    assert all(math.isfinite(row["fid"]["value"]) for row in found["fitted"])
    assert found["codes"]["count"] == 60
