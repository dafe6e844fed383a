"""What every distribution of pixels must do."""

import math

import pytest
import torch
from pixel_cases import DISTRIBUTIONS, LEVELS, MASSES, Draw, each_level

COUNT = 64


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def test_level_cases_hold_the_same_parameters_for_each_level():
    log_mass = each_level(MASSES["binomial"], 5)
    logits = Draw(5)(-20, 20).flatten()
    k = torch.tensor(7.0, dtype=torch.float64)
    expected = torch.distributions.Binomial(255, logits=logits).log_prob(k)
    torch.testing.assert_close(log_mass[7], expected)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 3e-4)])
@pytest.mark.parametrize("name", MASSES)
def test_masses_of_all_levels_sum_to_one(name, dtype, tolerance):
    total = each_level(MASSES[name], COUNT, dtype).double().exp().sum(dim=0)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=tolerance)


def test_bound_of_the_beta_density_leaves_some_mass_out():
    total = each_level(DISTRIBUTIONS["beta"], COUNT).exp().sum(dim=0)
    assert total.max() <= 1 + 1e-9
    assert total.median() > 0.5


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_there_is_one_number_per_image(name):
    pixels = DISTRIBUTIONS[name](Draw(6, channels=3))
    index = torch.randint(0, 256, (6, 3, 1, 1), generator=generator())
    x = LEVELS[index].round() if name == "bernoulli" else LEVELS[index]
    assert pixels.log_mass(x).shape == (6,)
    assert pixels.log_mass(x).isfinite().all()
    if pixels.is_mass:
        assert torch.equal(pixels.log_prob(x), pixels.log_mass(x))
        assert (pixels.log_mass(x) <= 0).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_mean_and_deviation_are_pictures(name):
    pixels = DISTRIBUTIONS[name](Draw(COUNT, channels=3))
    assert pixels.mean.shape == pixels.standard_deviation.shape == (COUNT, 3, 1, 1)
    assert pixels.mean.min() >= 0
    assert pixels.mean.max() <= 1
    assert pixels.standard_deviation.min() >= 0
    assert pixels.standard_deviation.isfinite().all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_deviation_is_that_of_the_draws(name):
    count = 20_000
    one = Draw(1, seed=4)

    class Same:
        """One set of moderate parameters for all images."""

        def __call__(self, low, high, *more):
            middle, half = (low + high) / 2, (high - low) / 8
            return one(middle - half, middle + half, *more).expand(count, *[-1] * (3 + len(more)))

        def weights(self, components):
            return self(-2, 2, components)[:, :, 0]

        def couplings(self, components):
            return None

    pixels = DISTRIBUTIONS[name](Same())
    draws = pixels.sample(generator())
    assert draws.std().item() == pytest.approx(pixels.standard_deviation[0].item(), rel=0.03)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_follow_the_generator_and_are_what_the_probability_is_of(name):
    pixels = DISTRIBUTIONS[name](Draw(COUNT, channels=3, dtype=torch.float32))
    first, again, other = (pixels.sample(generator(seed)) for seed in (1, 1, 2))
    assert first.shape == (COUNT, 3, 1, 1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.isfinite().all()
    if pixels.is_mass:
        levels = first * 255
        torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
        assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize("name", MASSES)
def test_masses_agree_with_the_draws(name):
    """Shares of black, of white and of what is between them."""
    make, count = MASSES[name], 4000
    log_mass = each_level(make, 8)
    expected = torch.stack([log_mass[0].exp(), log_mass[1:128].exp().sum(0), log_mass[255].exp()])

    class Many(Draw):
        def __call__(self, *args):
            return super().__call__(*args).repeat(count, *[1] * (len(args) - 2 + 3))

    pixels = make(Many(8))
    draws = pixels.sample(generator()).view(count, 8)
    cells = 256 if name == "continuous-bernoulli" else 255
    levels = (draws * cells - (cells == 256) * 0.5).round().clamp(0, 255)
    shares = [levels == 0, (levels > 0) & (levels < 128), levels == 255]
    found = torch.stack([share.double().mean(dim=0) for share in shares])
    torch.testing.assert_close(found, expected, rtol=0, atol=4 * 0.5 / math.sqrt(count))
