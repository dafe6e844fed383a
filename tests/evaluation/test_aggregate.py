import math

import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import MultivariateNormal, kl_divergence

from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.evaluation import aggregate, appraise, divergence, fit_aggregate
from vaesearch.evaluation.subject import Subject
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.priors import FittedMixturePrior, StandardNormal
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

SHAPE = (1, 4, 4)


class KnownPosterior:
    """Encodes a black image around ``black`` and any other around ``white``, with one spread."""

    def __init__(self, black, white, variance=0.25, components=None):
        self.centres = torch.tensor([black, white])
        self.variance = variance
        self.batches = []
        dims = len(black)
        self.settings = TrialSettings("mlp", latent_dim=dims)
        if components:
            self.prior = FittedMixturePrior(components, latent_dim=dims, shape=SHAPE)

    def encode(self, x):
        self.batches.append(len(x))
        mean = self.centres[(x.flatten(1).sum(dim=1) > 0).long()]
        return DiagonalGaussian(mean, torch.full_like(mean, self.variance).log())

    def latent_prior(self):
        return StandardNormal(self.centres.shape[1])


def images_of(count):
    images = torch.zeros(count, *SHAPE, dtype=torch.uint8)
    images[::2] = 255
    return images


def drawn_from(model, images, count, seed=0):
    mixture = fit_aggregate(model, images, seed)
    return mixture.sample(count, torch.Generator().manual_seed(seed))


def test_latents_have_the_shape_and_follow_the_seed():
    model, images = KnownPosterior([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]), images_of(300)
    first, again, other = (drawn_from(model, images, 7, seed) for seed in (1, 1, 2))
    assert first.shape == (7, 3)
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_known_gaussian_is_found_with_its_spread():
    """Fitted to codes and not to their means, which have no spread at all here."""
    drawn = drawn_from(KnownPosterior([3.0, -1.0], [3.0, -1.0]), images_of(2000), 4000)
    torch.testing.assert_close(drawn.mean(dim=0), torch.tensor([3.0, -1.0]), atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), 0.25 * torch.eye(2), atol=0.03, rtol=0)


def test_two_far_clusters_are_found_and_come_mixed():
    drawn = drawn_from(KnownPosterior([-9.0], [9.0]), images_of(1000), 1000)
    is_right = drawn[:, 0] > 0
    assert (drawn.abs() - 9).abs().max() < 3  # nothing in between
    assert 0.44 < is_right.float().mean() < 0.56
    # In a grid of pictures, neighbours should be of either kind.
    assert 0.4 < (is_right[1:] != is_right[:-1]).float().mean() < 0.6


@pytest.mark.parametrize("count", [2, 9, 100])
def test_few_images_are_enough(count):
    drawn = drawn_from(KnownPosterior([0.0] * 8, [1.0] * 8), images_of(count), 5)
    assert drawn.shape == (5, 8)
    assert drawn.isfinite().all()


def test_many_images_are_encoded_in_parts_and_not_all(monkeypatch):
    monkeypatch.setattr(aggregate, "MOST_IMAGES", 600)
    model = KnownPosterior([0.0], [1.0])
    fit_aggregate(model, images_of(1000), 0)
    assert sum(model.batches) == 600
    assert max(model.batches) == aggregate.BATCH


@pytest.mark.parametrize(("asked", "count", "made"), [(None, 1000, 10), (3, 1000, 3), (9, 24, 6)])
def test_components_are_those_of_the_prior_while_there_are_codes_for_them(asked, count, made):
    model = KnownPosterior([0.0], [5.0], components=asked)
    mixture = fit_aggregate(model, images_of(count), 0)
    assert mixture.means.shape == (made, 1)


@pytest.mark.parametrize("of_prior", [None, 3])
def test_components_can_be_asked_for(of_prior):
    model = KnownPosterior([0.0], [5.0], components=of_prior)
    mixture = fit_aggregate(model, images_of(400), 0, components=4)
    assert mixture.means.shape == (4, 1)


def test_no_components_are_refused():
    with pytest.raises(InputError, match="components must be a whole number, at least 1"):
        fit_aggregate(KnownPosterior([0.0], [5.0]), images_of(40), 0, components=0)


def test_mixtures_are_kept_by_their_number_of_components(model, images):
    sets = [images.numpy()] * 3
    subject = Subject(model, ImageData("noise", *sets, pixels="8bit", fingerprint=""))
    default, one = subject.mixture(), subject.mixture(1)
    assert subject.mixture() is default
    assert subject.mixture(1) is one
    assert len(one.means) == 1
    assert torch.equal(default.means, fit_aggregate(model, images, 0).means)


def test_more_components_see_more_images(monkeypatch):
    monkeypatch.setattr(aggregate, "MOST_IMAGES", 100)
    model = KnownPosterior([0.0], [5.0], components=20)
    fit_aggregate(model, images_of(1000), 0)
    assert sum(model.batches) == 20 * aggregate.CODES_WANTED


def test_density_is_that_of_the_fit(monkeypatch):
    fits = []
    original = GaussianMixture.fit

    def spy(self, codes):
        fits.append(original(self, codes))
        return fits[-1]

    monkeypatch.setattr(GaussianMixture, "fit", spy)
    mixture = fit_aggregate(KnownPosterior([-2.0, 0.0], [1.0, 3.0]), images_of(400), 0)
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    expected = torch.tensor(fits[0].score_samples(z.numpy()))
    torch.testing.assert_close(mixture.log_prob(z), expected, rtol=1e-9, atol=1e-9)


def test_divergence_of_one_gaussian_is_the_closed_form():
    model = KnownPosterior([1.0, -0.5], [1.0, -0.5], components=1)
    mixture = fit_aggregate(model, images_of(2000), 0)
    figures = divergence(mixture, model, 0)
    gaussian = MultivariateNormal(mixture.means[0], mixture.covariances[0])
    standard = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    exact = kl_divergence(gaussian, standard).item()
    error = figures["aggregate_kl_error"]
    assert 0 < error < 0.05
    assert figures["aggregate_kl"] == pytest.approx(exact, abs=3 * error)
    assert divergence(mixture, model, 0) == figures


def test_divergence_from_itself_is_zero():
    model = KnownPosterior([0.0], [3.0])
    mixture = fit_aggregate(model, images_of(500), 0)
    model.latent_prior = lambda: mixture
    assert divergence(mixture, model, 0) == {"aggregate_kl": 0, "aggregate_kl_error": 0}


@pytest.fixture
def model():
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=3, width=1 / 32)
    return build_model(settings, SHAPE).eval()


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (40, *SHAPE), generator=generator).byte()


def test_another_prior_changes_nothing_but_its_own_density(model, images):
    class Shifted(StandardNormal):
        def log_prob(self, z):
            return super().log_prob(z) + 0.5

    figures = appraise(model, images, has_mass=True, mixture=Shifted(3))
    assert figures["elbo_gmm"] == pytest.approx(figures["elbo"] + 0.5, rel=1e-6)
    bits = 0.5 / math.log(2) / 16
    assert figures["bpd_gmm"] == pytest.approx(figures["bpd"] - bits, rel=1e-6)
    plain = appraise(model, images, has_mass=True)
    assert {name: figures[name] for name in plain} == plain


def test_bits_under_the_mixture_are_there_where_bits_are(images):
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=3, width=1 / 32, likelihood="relaxed-bernoulli"
    )
    model = build_model(settings, SHAPE).eval()
    figures = appraise(model, images, has_mass=False, mixture=fit_aggregate(model, images, 0))
    assert math.isfinite(figures["elbo_gmm"])
    assert "bpd_gmm" not in figures


def test_mixture_follows_the_codes_of_a_model(model, images):
    with torch.no_grad():
        model.posterior.mean.bias.fill_(4.0)
    mixture = fit_aggregate(model, images, 0)
    figures = appraise(model, images, has_mass=True, mixture=mixture)
    # Codes around 4 cost 8 nats each under N(0, I), and next to nothing more under the mixture.
    assert figures["elbo_gmm"] > figures["elbo"] + 20
