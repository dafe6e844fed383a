import math

import pytest
import torch
from torch.distributions import Independent, Normal

from vaesearch.models.pixels import (
    HALF_STEP,
    BernoulliPixels,
    DiscretizedNormalPixels,
    NormalPixels,
    PixelwiseNormalPixels,
)

LEVELS = torch.arange(256, dtype=torch.float64) / 255
MEANS = (-100.0, -1.0, 0.0, 0.3, 0.5, 1.0, 1.7, 100.0)
LOG_VARIANCES = (2 * math.log(HALF_STEP), -8.0, -4.0, 0.0, 5.0, 10.0)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def three_errors(draws):
    """Three standard errors of the mean of ``draws``."""
    return 3 * draws.std(dim=0) / math.sqrt(len(draws))


def levels_as_images(dtype):
    return LEVELS.to(dtype).view(256, 1, 1, 1)


@pytest.mark.parametrize("kind", [NormalPixels, DiscretizedNormalPixels])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-5)])
@pytest.mark.parametrize("log_variance", LOG_VARIANCES)
def test_masses_of_all_levels_sum_to_one(kind, dtype, tolerance, log_variance, generator):
    random = torch.empty(24, dtype=torch.float64).normal_(0.5, 1, generator=generator)
    for mean in torch.cat([random, torch.tensor(MEANS)]):
        means = mean.to(dtype).expand(256, 1, 1, 1)
        pixels = kind(means, torch.tensor(log_variance, dtype=dtype))
        total = pixels.log_mass(levels_as_images(dtype)).double().exp().sum().item()
        assert total == pytest.approx(1, abs=tolerance)


@pytest.mark.parametrize("mean", [*MEANS, -1e4, 1e4])
@pytest.mark.parametrize("log_variance", LOG_VARIANCES[:-1])
def test_gradients_of_the_mass_hold_in_the_tails(mean, log_variance):
    """In single precision as in double, where torch's own log_ndtr has NaN or is off by 350x."""
    gradients = []
    for dtype in (torch.float32, torch.float64):
        means = torch.full((256, 1, 1, 1), mean, dtype=dtype, requires_grad=True)
        spread = torch.tensor(log_variance, dtype=dtype, requires_grad=True)
        log_mass = NormalPixels(means, spread).log_mass(levels_as_images(dtype))
        assert log_mass.isfinite().all()
        log_mass.sum().backward()
        scale = math.exp(0.5 * log_variance)
        gradients.append((means.grad.double() * scale, spread.grad.double()))
    for single, double in zip(*gradients, strict=True):
        assert double.isfinite().all()
        torch.testing.assert_close(single, double, rtol=1e-2, atol=1e-2)


def test_gradient_of_the_mass_is_its_slope():
    means = torch.tensor([-0.2, 0.0, 0.31, 0.8, 1.3], dtype=torch.float64)
    x = torch.tensor([0.0, 0.0, 77 / 255, 1.0, 1.0], dtype=torch.float64)

    def log_mass(mean, log_variance):
        return NormalPixels(mean.view(5, 1, 1, 1), log_variance).log_mass(x.view(5, 1, 1, 1))

    inputs = means.requires_grad_(), torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(log_mass, inputs)


def test_mass_of_a_level_is_the_density_over_its_cell():
    scale, mean = 0.05, torch.tensor(0.4, dtype=torch.float64)
    pixels = NormalPixels(mean.expand(256, 1, 1, 1), torch.tensor(2 * math.log(scale)))
    cdf = Normal(mean, torch.tensor(scale, dtype=torch.float64)).cdf
    expected = cdf(LEVELS + HALF_STEP) - cdf(LEVELS - HALF_STEP)
    expected[0], expected[-1] = cdf(LEVELS[0] + HALF_STEP), 1 - cdf(LEVELS[-1] - HALF_STEP)
    mass = pixels.log_mass(levels_as_images(torch.float64)).exp()
    torch.testing.assert_close(mass, expected, rtol=1e-6, atol=1e-12)


def test_density_is_that_of_torch_and_integrates_to_one(generator):
    mean = torch.empty(4, 3, 5, 5, dtype=torch.float64).uniform_(generator=generator)
    x, log_variance = mean.flip(0), torch.tensor(-3.0, dtype=torch.float64)
    expected = Independent(Normal(mean, (0.5 * log_variance).exp()), 3).log_prob(x)
    torch.testing.assert_close(NormalPixels(mean, log_variance).log_prob(x), expected)
    grid = torch.linspace(-4, 5, 9001, dtype=torch.float64)
    pixel = NormalPixels(torch.full((9001, 1, 1, 1), 0.4, dtype=torch.float64), log_variance)
    density = pixel.log_prob(grid.view(-1, 1, 1, 1)).exp()
    assert torch.trapezoid(density, grid).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("log_variance", [-9.0, -6.0, -2.0])
def test_dequantised_bits_are_never_fewer_than_those_of_the_mass(log_variance, generator):
    """E log p(x + u) + log cell <= log of the mass, by Jensen, for u uniform over the cell."""
    x = torch.randint(1, 255, (1, 1, 8, 8), generator=generator).double() / 255
    mean = (x + 0.05 * torch.empty_like(x).normal_(generator=generator)).clamp(0, 1)
    spread = torch.tensor(log_variance, dtype=torch.float64)
    noise = torch.empty(4000, 1, 8, 8, dtype=torch.float64)
    noise.uniform_(-HALF_STEP, HALF_STEP, generator=generator)
    cell = x.numel() * math.log(2 * HALF_STEP)
    draws = NormalPixels(mean.expand_as(noise), spread).log_prob(x + noise) + cell
    mass = NormalPixels(mean, spread).log_mass(x).item()
    assert draws.mean().item() <= mass + three_errors(draws).item()
    assert draws.mean().item() == pytest.approx(mass, abs=0.1 * x.numel())


def test_what_a_screen_shows_is_in_range():
    parameters = torch.tensor([-50.0, 0.3, 50.0]).view(3, 1, 1, 1)
    for pixels in (
        BernoulliPixels(parameters),
        DiscretizedNormalPixels(parameters, torch.tensor(0.0)),
    ):
        assert pixels.mean.min() >= 0
        assert pixels.mean.max() <= 1


def test_only_the_discretised_normal_trains_on_the_mass():
    x, spread = torch.full((1, 1, 2, 2), 0.2), torch.tensor(-2.0)
    mean = torch.full_like(x, 0.25)
    mass = DiscretizedNormalPixels(mean, spread)
    assert torch.equal(mass.log_prob(x), mass.log_mass(x))
    assert NormalPixels(mean, spread).log_prob(x) > mass.log_mass(x)  # a density of 1/255 cells


def test_variances_per_pixel_are_those_of_torch(generator):
    mean = torch.empty(4, 3, 5, 5, dtype=torch.float64).uniform_(generator=generator)
    x, variance = mean.flip(0), 0.01 + mean.flip(1)
    pixels = PixelwiseNormalPixels(mean, variance)
    expected = Independent(Normal(mean, variance.sqrt()), 3).log_prob(x)
    torch.testing.assert_close(pixels.log_prob(x), expected)
    torch.testing.assert_close(pixels.standard_deviation, variance.sqrt())
    alike = PixelwiseNormalPixels(mean, torch.full_like(mean, 0.1))
    plain = NormalPixels(mean, torch.tensor(0.1, dtype=torch.float64).log())
    torch.testing.assert_close(alike.log_prob(x), plain.log_prob(x))
    torch.testing.assert_close(alike.log_mass(x), plain.log_mass(x))
