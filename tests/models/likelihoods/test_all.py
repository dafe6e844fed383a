"""What every likelihood of the catalogue must do."""

import math

import pytest
import torch

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.likelihoods import MIN_LOG_VARIANCE
from vaesearch.models.likelihoods.core import pixel_log_variance, soft_floor

PER_PIXEL = {
    "gaussian:pixel", "discretized-normal:pixel", "discretized-logistic:pixel", "beta",
    "discretized-logistic-mixture", "discretized-logistic-mixture:3",
}  # fmt: skip
SPECS = sorted({entry.name for entry in catalogue.LIKELIHOODS} | PER_PIXEL)


def build(spec):
    likelihood = catalogue.build("likelihoods", spec)
    if spec == "gaussian:pixel":  # in its second stage, with maps that count
        for _ in range(likelihood.first):
            likelihood.end_epoch(0.0)
        with torch.no_grad():
            likelihood.gate.fill_(1.0)
    return likelihood


def parameters(likelihood, channels, scale, seed=2):
    shape = (5, likelihood.outputs(channels), 4, 3)
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(shape, generator=generator)).requires_grad_()


def images(channels):
    generator = torch.Generator().manual_seed(9)
    x = torch.randint(0, 256, (5, channels, 4, 3), generator=generator)
    x[0], x[1] = 0, 255
    return x / 255


@pytest.mark.parametrize("scale", [0.1, 100.0, 1e4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("spec", SPECS)
def test_probabilities_and_gradients_are_finite_however_wrong_the_decoder_is(
    spec, channels, scale
):
    likelihood, x = build(spec), images(channels)
    if spec == "bernoulli":
        x = x.round()
    for of in ("log_prob", "log_mass"):
        maps = parameters(likelihood, channels, scale)
        pixels = likelihood(maps, fit_to=x)
        assert pixels.mean.shape == pixels.standard_deviation.shape == x.shape
        assert pixels.standard_deviation.isfinite().all()
        value = getattr(pixels, of)(x)
        assert value.shape == (5,)
        assert value.isfinite().all()
        value.sum().backward()
        own = [p.grad for p in likelihood.parameters() if p.grad is not None]
        for gradient in (maps.grad, *own):
            assert gradient.isfinite().all()
        assert maps.grad.abs().sum() > 0 or scale > 100  # where a sigmoid is 0 or 1
        likelihood.zero_grad()


@pytest.mark.parametrize("spec", SPECS)
def test_half_precision_of_the_networks_ends_here(spec):
    likelihood, x = build(spec), images(1)
    maps = parameters(likelihood, 1, 1.0).detach().bfloat16()
    found = likelihood(maps).log_prob(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, likelihood(maps.float()).log_prob(x))


@pytest.mark.parametrize("spec", SPECS)
def test_own_numbers_have_a_gradient(spec):
    likelihood, x = build(spec), images(1)
    likelihood(parameters(likelihood, 1, 1.0), fit_to=x).log_prob(x).sum().backward()
    for name, own in likelihood.named_parameters():
        is_frozen = spec == "gaussian:pixel" and name == "log_variance"
        assert (own.grad is None) is is_frozen
        assert is_frozen or own.grad.abs() > 0


@pytest.mark.parametrize("spec", SPECS)
def test_who_predicts_a_spread_says_so(spec):
    """Two decoders with the same means differ in their deviations, or never do."""
    likelihood = build(spec)
    assert likelihood.predicts_spread is (spec in PER_PIXEL)
    if not likelihood.predicts_spread:
        assert likelihood.outputs(1) == 1
        assert likelihood.outputs(3) == 3


@pytest.mark.parametrize(
    ("spec", "grey", "colour"),
    [
        ("discretized-normal:pixel", 2, 6),
        ("gaussian:pixel", 2, 6),
        ("beta", 2, 6),
        ("discretized-logistic-mixture", 30, 100),
        ("discretized-logistic-mixture:3", 9, 30),
    ],
)
def test_maps_that_the_decoder_makes(spec, grey, colour):
    likelihood = catalogue.build("likelihoods", spec)
    assert (likelihood.outputs(1), likelihood.outputs(3)) == (grey, colour)


@pytest.mark.parametrize("spec", [s for s in sorted(PER_PIXEL) if "mixture" not in s])
@torch.no_grad()
def test_means_come_before_spreads_and_channels_do_not_mix(spec):
    likelihood = build(spec)
    maps = parameters(likelihood, 3, 0.5)
    before = likelihood(maps)
    for changed in range(6):
        other = maps.clone()
        other[:, changed] += 0.3
        after = likelihood(other)
        has_moved = [
            (getattr(after, of) != getattr(before, of)).any(dim=(0, 2, 3)).tolist()
            for of in ("mean", "standard_deviation")
        ]
        channel = changed % 3
        elsewhere = [m for moved in has_moved for c, m in enumerate(moved) if c != channel]
        assert not any(elsewhere)
        assert has_moved[0 if changed < 3 else 1][channel]


def test_floor_is_smooth_and_holds():
    x = torch.tensor([-1e4, -20.0, 0.0, 30.0], requires_grad=True)
    floored = soft_floor(x, -11.0)
    assert floored.min() >= -11
    assert floored[-1].item() == pytest.approx(30)
    floored.sum().backward()
    assert (x.grad[1:] > 0).all()
    wide = pixel_log_variance(torch.tensor(0.0), torch.tensor([-1e4, 1e4]))
    assert wide[0].item() == pytest.approx(MIN_LOG_VARIANCE)
    assert math.isfinite(wide[1].exp())


@pytest.mark.parametrize(
    "spec",
    [
        "discretized-normal:nonsense", "discretized-logistic:0", "discretized-logistic:pixel,3",
        "discretized-logistic-mixture:0", "discretized-logistic-mixture:-1",
        "discretized-logistic-mixture:2.5", "discretized-logistic-mixture:many", "laplace:pixel",
        "beta:2", "binomial:100", "continuous-bernoulli:0.5",
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_in_words(spec):
    with pytest.raises(InputError, match=spec.partition(":")[0]):
        catalogue.build("likelihoods", spec)
