import math

import pytest
import torch
from torch.distributions import ContinuousBernoulli

from vaesearch.models.pixels import ContinuousBernoulliPixels
from vaesearch.models.pixels.continuous_bernoulli import _langevin, _langevin_slope, _LogSinhc

LOGITS = (-800.0, -60.0, -5.0, -0.61, -0.59, -1e-3, 0.0, 1e-8, 0.3, 0.599, 0.601, 7.0, 90.0, 800.0)


def column(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype).view(-1, 1, 1, 1)


def one(logit, count):
    return ContinuousBernoulliPixels(column([logit]).expand(count, 1, 1, 1))


@pytest.mark.parametrize("logit", [x for x in LOGITS if 0.01 < abs(x) < 30])
def test_continuous_bernoulli_is_that_of_torch(logit):
    exact = ContinuousBernoulli(logits=torch.tensor(logit, dtype=torch.float64), lims=(0.5, 0.5))
    x = torch.linspace(0, 1, 11, dtype=torch.float64)
    pixels = one(logit, 11)
    torch.testing.assert_close(pixels.log_prob(x.view(11, 1, 1, 1)), exact.log_prob(x))
    assert pixels.mean[0].item() == pytest.approx(exact.mean.item(), rel=1e-9)
    assert pixels.standard_deviation[0].item() == pytest.approx(exact.stddev.item(), rel=1e-6)
    edges = torch.arange(257, dtype=torch.float64) / 256
    levels = column(range(256)) / 255
    torch.testing.assert_close(
        one(logit, 256).log_mass(levels).exp(), exact.cdf(edges).diff(), rtol=1e-7, atol=1e-15
    )


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one(logit):
    # Where nearly all mass lies near an end, a grid in it.
    width = min(1, 50 / max(1, abs(logit)))
    near = torch.linspace(0, width, 20_001, dtype=torch.float64)
    x = 1 - near.flip(0) if logit > 0 else near
    density = one(logit, len(x)).log_prob(x.view(-1, 1, 1, 1)).exp()
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-6)


def test_at_one_half_it_is_uniform_and_smooth():
    pixels = one(0.0, 1)
    assert pixels.log_prob(column([0.3])).item() == pytest.approx(0, abs=1e-9)
    assert pixels.mean.item() == 0.5
    assert pixels.standard_deviation.item() == pytest.approx(math.sqrt(1 / 12))
    assert pixels.log_mass(column([0.4])).item() == pytest.approx(-math.log(256))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-6)])
def test_series_meet_the_closed_forms(dtype, tolerance):
    for t in (0.299, 0.301):
        exact_slope = 1 / t**2 - 1 / math.sinh(t) ** 2
        x = torch.tensor(t, dtype=dtype)
        assert _langevin(x).item() == pytest.approx(1 / math.tanh(t) - 1 / t, abs=tolerance)
        assert _langevin_slope(x).item() == pytest.approx(exact_slope, abs=5 * tolerance)
        assert _LogSinhc.apply(x).item() == pytest.approx(
            math.log(math.sinh(t) / t), abs=tolerance
        )


def test_gradients_are_the_slopes():
    logits = column([-700.0, -3.0, -0.2, 0.0, 1e-5, 0.5, 40.0]).requires_grad_()
    x = column([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0])
    for of in (
        lambda t: ContinuousBernoulliPixels(t).log_prob(x),
        lambda t: ContinuousBernoulliPixels(t).log_mass(x),
        lambda t: ContinuousBernoulliPixels(t).mean,
    ):
        assert torch.autograd.gradcheck(of, logits)
