import pytest
import torch
from pixel_cases import LEVELS, MASSES, Draw
from torch import logsumexp

from vaesearch.models.pixels import DiscretizedLogisticPixels, LogisticMixturePixels

COUNT, COMPONENTS = 12, 4
ORDER = {1: [], 2: [(1, 0)], 3: [(1, 0), (2, 0), (2, 1)]}


def parameters(channels):
    draw = Draw(COUNT, channels=channels, seed=channels)
    couplings = None
    if channels > 1:
        couplings = torch.stack([draw(-1, 1, COMPONENTS)[:, :, 0] for _ in ORDER[channels]], 2)
    means, log_scales = draw(-0.5, 1.5, COMPONENTS), draw(-6, 1, COMPONENTS)
    return draw.weights(COMPONENTS), means, log_scales, couplings


def levels(channels, seed=3):
    index = torch.randint(
        0, 256, (COUNT, channels, 1, 1), generator=torch.Generator().manual_seed(seed)
    )
    return LEVELS[index]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_log_mass_is_the_plain_sum_over_components(channels):
    logits, means, log_scales, couplings = parameters(channels)
    x = levels(channels)
    terms = []
    for k in range(COMPONENTS):
        log_p = logits.log_softmax(dim=1)[:, k].flatten()
        for c in range(channels):
            mean = means[:, k, c]
            for index, (channel, before) in enumerate(ORDER[channels]):
                if channel == c:
                    mean = mean + couplings[:, k, index] * (x[:, before] - 0.5)
            one = DiscretizedLogisticPixels(mean.unsqueeze(1), log_scales[:, k, c].unsqueeze(1))
            log_p = log_p + one.log_mass(x[:, [c]])
        terms.append(log_p)
    expected = logsumexp(torch.stack(terms), dim=0)
    found = LogisticMixturePixels(logits, means, log_scales, couplings).log_mass(x)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("channels", [2, 3])
def test_masses_of_a_channel_sum_to_those_of_the_channels_before_it(channels):
    """So that its masses, given the others, sum to 1."""
    logits, means, log_scales, couplings = parameters(channels)
    x = levels(channels)
    whole = LogisticMixturePixels(logits, means, log_scales, couplings)
    every = []
    for level in LEVELS:
        x[:, -1] = level
        every.append(whole.log_mass(x))
    fewer = channels - 1
    before = LogisticMixturePixels(
        logits, means[:, :, :fewer], log_scales[:, :, :fewer], couplings[:, :, : len(ORDER[fewer])]
    ).log_mass(x[:, :fewer])
    total = logsumexp(torch.stack(every) - before, dim=0).exp()
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-6)


def test_one_component_is_the_discretised_logistic():
    draw = Draw(COUNT)
    mean, log_scale, x = draw(-0.5, 1.5), draw(-6, 1), levels(1)
    one = LogisticMixturePixels(draw.weights(1), mean.unsqueeze(1), log_scale.unsqueeze(1))
    plain = DiscretizedLogisticPixels(mean, log_scale)
    torch.testing.assert_close(one.log_mass(x), plain.log_mass(x))
    torch.testing.assert_close(one.mean, plain.mean)
    torch.testing.assert_close(one.standard_deviation, plain.standard_deviation)


def test_draws_of_coupled_channels_have_the_moments_that_are_said():
    """Where nothing is clamped, the moments are exact."""
    count = 40_000
    means = torch.tensor([[0.4, 0.5, 0.6], [0.6, 0.5, 0.4]], dtype=torch.float64)
    couplings = torch.tensor([[0.8, -0.5, 0.6], [0.3, 0.4, -0.7]], dtype=torch.float64)
    pixels = LogisticMixturePixels(
        torch.tensor([0.5, 0.0]).double().view(1, 2, 1, 1).expand(count, -1, -1, -1),
        means.view(1, 2, 3, 1, 1).expand(count, -1, -1, -1, -1),
        torch.full((1, 2, 3, 1, 1), -4.0).double().expand(count, -1, -1, -1, -1),
        couplings.view(1, 2, 3, 1, 1).expand(count, -1, -1, -1, -1),
    )
    draws = pixels.sample(torch.Generator().manual_seed(0))
    torch.testing.assert_close(draws.mean(0), pixels.mean[0], rtol=0, atol=2e-3)
    torch.testing.assert_close(draws.std(0), pixels.standard_deviation[0], rtol=0.02, atol=0)


def test_components_are_chosen_by_their_weights():
    pixels = MASSES["discretized-logistic-mixture"](Draw(1))
    count = 4000
    logits = pixels.logits.expand(count, -1, -1, -1)
    far = (torch.arange(4).double() / 4 + 0.1).view(1, 4, 1, 1, 1).expand(count, -1, -1, -1, -1)
    drawn = LogisticMixturePixels(logits, far, torch.full_like(far, -6.0)).sample(
        torch.Generator().manual_seed(2)
    )
    chosen = (drawn.flatten() * 4 - 0.4).round().long().clamp(0, 3)
    shares = torch.bincount(chosen, minlength=4) / count
    torch.testing.assert_close(shares.double(), logits[0].softmax(0).flatten(), rtol=0, atol=0.03)
