"""The mass of one picture under many forecasts, beside the general way in float64."""

import pytest
import torch

from vaesearch.models.pixels import DiscretizedNormalPixels, NormalPixels
from vaesearch.models.pixels.normal import PixelwiseNormalPixels
from vaesearch.models.pixels.shared import normal_log_mass_of

SHAPE, COUNT = (2, 7, 9), 20


def picture(kind="mixed"):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(SHAPE, generator=generator)
    if kind == "mixed":
        x = (3 * x - 1).clamp(0, 1)
    elif kind == "outer":
        x = x.round()
    else:
        x = 0.1 + 0.8 * x
    return (255 * x).round() / 255


def forecasts(x, spread, count=COUNT):
    generator = torch.Generator().manual_seed(1)
    return x + spread * torch.randn(count, *SHAPE, generator=generator)


@pytest.mark.parametrize("kind", ["mixed", "outer", "inner"])
@pytest.mark.parametrize("scale", [0.07, 0.2, 1.0, 30.0])
@pytest.mark.parametrize("spread", [0.02, 0.3, 3.0])
def test_it_is_the_general_mass(kind, scale, spread):
    x = picture(kind)
    mean, log_variance = forecasts(x, spread * scale), 2 * torch.tensor(scale).log()
    found = normal_log_mass_of(x, mean, log_variance)
    exact = NormalPixels(mean.double(), log_variance.double()).log_mass(x.double().expand_as(mean))
    assert found is not None
    torch.testing.assert_close(found.double(), exact, rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("sign", [-1, 1])
def test_far_tails(sign):
    """All forecasts black or white, and far beyond: of pixels that are, and that are not."""
    x = picture("outer")
    mean = (0.5 + sign * 40.0) * torch.ones(COUNT, *SHAPE)
    log_variance = 2 * torch.tensor(0.1).log()
    found = normal_log_mass_of(x, mean, log_variance)
    exact = NormalPixels(mean.double(), log_variance.double()).log_mass(x.double().expand_as(mean))
    torch.testing.assert_close(found.double(), exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize("of", [NormalPixels, DiscretizedNormalPixels])
@pytest.mark.parametrize(("scale", "is_fast"), [(0.002, False), (0.2, True)])
def test_the_general_way_where_cells_are_wide(of, scale, is_fast):
    x = picture()
    mean, log_variance = forecasts(x, 0.3), 2 * torch.tensor(scale).log()
    assert (normal_log_mass_of(x, mean, log_variance) is not None) is is_fast
    forecast = of(mean, log_variance)
    expected = forecast.log_mass(x.expand_as(mean))
    assert torch.equal(forecast.log_mass_of(x), expected) is not is_fast
    torch.testing.assert_close(forecast.log_mass_of(x), expected, rtol=1e-5, atol=1e-4)


def test_a_variance_for_each_pixel_takes_the_general_way():
    x = picture()
    mean = forecasts(x, 0.1)
    forecast = PixelwiseNormalPixels(mean, torch.full_like(mean, 0.04))
    assert torch.equal(forecast.log_mass_of(x), forecast.log_mass(x.expand_as(mean)))


def test_double_precision_takes_the_general_way():
    x = picture().double()
    mean = forecasts(x, 0.1).double()
    assert normal_log_mass_of(x, mean, torch.tensor(-3.0).double()) is None


def test_nothing_of_the_forecasts_is_overwritten():
    x = picture()
    mean = forecasts(x, 0.1)
    before = mean.clone()
    NormalPixels(mean, torch.tensor(-3.0)).log_mass_of(x)
    assert torch.equal(mean, before)
