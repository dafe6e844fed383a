import math
from itertools import pairwise

import pytest
import torch
from torch.distributions import MultivariateNormal

from vaesearch.errors import InputError
from vaesearch.evaluation import importance, iwae
from vaesearch.models.latents import FullGaussian
from vaesearch.models.pixels import NormalPixels
from vaesearch.models.priors import StandardNormal
from vaesearch.models.vae import build_model
from vaesearch.objectives.importance import log_weights
from vaesearch.records import TrialSettings

DIMS, PIXELS, VARIANCE = 3, 12, 0.2


class LinearModel:
    """x = W z + b + noise, with an encoder that is off by some: log p(x) is known."""

    def __init__(self, error=0.3):
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(PIXELS, DIMS, generator=generator).double() / 2
        self.bias = torch.randn(PIXELS, generator=generator).double() / 10
        precision = torch.eye(DIMS).double() + self.weight.T @ self.weight / VARIANCE
        self.covariance = precision.inverse()
        self.error = error
        self.decoded = 0

    def images(self, count, generator):
        z = torch.randn(count, DIMS, generator=generator).double()
        noise = torch.randn(count, PIXELS, generator=generator).double() * VARIANCE**0.5
        return (z @ self.weight.T + self.bias + noise).view(count, 1, 1, PIXELS)

    def log_evidence(self, x):
        spread = self.weight @ self.weight.T + VARIANCE * torch.eye(PIXELS).double()
        return MultivariateNormal(self.bias, spread).log_prob(x.flatten(1))

    def encode(self, x):
        centred = (x.flatten(1) - self.bias) / VARIANCE
        mean = centred @ self.weight @ self.covariance + self.error
        factor = torch.linalg.cholesky(self.covariance * 1.3)
        return FullGaussian(mean, factor.expand(len(x), DIMS, DIMS))

    def latent_prior(self):
        return StandardNormal(DIMS)

    def decode(self, z, fit_to=None):
        self.decoded += len(z)
        mean = (z @ self.weight.T + self.bias).view(-1, 1, 1, PIXELS)
        return NormalPixels(mean, torch.tensor(VARIANCE, dtype=torch.float64).log())


@pytest.fixture
def linear():
    return LinearModel()


@pytest.fixture
def x(linear):
    return linear.images(300, torch.Generator().manual_seed(1))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_bound_rises_to_the_evidence(linear, x):
    bounds = [iwae(linear, x, generator(k), k) for k in (1, 10, 100, 1000)]
    for looser, tighter in pairwise(bounds):
        gain = tighter - looser
        assert gain.mean() > -3 * gain.std() / len(x) ** 0.5
    gaps = linear.log_evidence(x) - torch.stack(bounds)
    assert gaps[0].mean() > 0.3
    assert gaps[-1].mean().abs() < 0.02


def test_exact_posterior_has_equal_weights():
    """Every weight is p(x) itself, with one sample as with many."""
    linear = LinearModel(error=0.0)
    exact = linear.encode
    linear.encode = lambda x: FullGaussian(exact(x).mean, exact(x).scale_tril / 1.3**0.5)
    x = linear.images(5, generator())
    for samples in (1, 7):
        found = iwae(linear, x, generator(), samples)
        torch.testing.assert_close(found, linear.log_evidence(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("samples", [1, 7, 50])
def test_as_many_samples_as_asked_for_in_parts(linear, x, monkeypatch, samples):
    monkeypatch.setattr(importance, "PICTURES", 4 * len(x))
    found = iwae(linear, x, generator(), samples)
    assert linear.decoded == samples * len(x)
    with torch.no_grad():
        g, weights = generator(), []
        for start in range(0, samples, 4):
            weights.append(log_weights(linear, x, g, min(4, samples - start)))
    expected = torch.cat(weights).exp().mean(dim=0).log()
    torch.testing.assert_close(found, expected)


def test_one_sample_is_the_monte_carlo_bound_bit_by_bit(linear, x):
    q = linear.encode(x)
    z, log_q = q.rsample_and_log_prob(generator(3), 1)
    log_joint = linear.decode(z[0]).log_prob(x) + linear.latent_prior().log_prob(z[0])
    found = iwae(linear, x, generator(3), 1)
    torch.testing.assert_close(found, log_joint - log_q[0], rtol=1e-12, atol=1e-12)


def test_another_prior_is_scored_at_the_same_samples(linear, x):
    class Shifted(StandardNormal):
        def log_prob(self, z):
            return super().log_prob(z) + 0.7

    plain = iwae(linear, x, generator(), 20)
    shifted = iwae(linear, x, generator(), 20, prior=Shifted(DIMS))
    torch.testing.assert_close(shifted, plain + 0.7)


def test_mass_is_that_of_the_levels():
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=2, width=1 / 32, likelihood="gaussian"
    )
    model = build_model(settings, (1, 8, 8)).eval()
    x = torch.randint(0, 256, (4, 1, 8, 8), generator=generator()) / 255
    gain = iwae(model, x, generator(), 1, as_mass=True) - iwae(model, x, generator(), 1)
    # A level's cell is 1 / 255 wide, and the two at the ends are open.
    assert (gain.mean() / 64).item() == pytest.approx(-math.log(255), abs=0.2)
    assert not gain.requires_grad


@pytest.mark.parametrize("samples", [0, -2, 1.5])
def test_samples_must_be_a_whole_number_above_zero(linear, x, samples):
    with pytest.raises(InputError, match="must be a whole number, at least 1, not"):
        iwae(linear, x, generator(), samples)
