import math

import pytest
import torch
from digits import load_digits, trained
from known import KnownVAE, noise, subject_of
from pixel_cases import DISTRIBUTIONS, LEVELS, Draw
from scipy import stats
from scipy.stats import spearmanr

from vaesearch.errors import InputError
from vaesearch.evaluation.forecasts import forecast
from vaesearch.evaluation.metrics.calibration import Calibration
from vaesearch.evaluation.subject import silent
from vaesearch.models.pixels import (
    BetaPixels,
    BinomialPixels,
    ContinuousBernoulliPixels,
    DiscretizedLogisticPixels,
    DiscretizedNormalPixels,
    LaplacePixels,
    LogisticMixturePixels,
    NormalPixels,
    PixelwiseNormalPixels,
)
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

KNOWN = sorted(set(DISTRIBUTIONS) - {"bernoulli"})
ON_CELLS = ("continuous-bernoulli", "beta")


def measured(metric, subject):
    metric.check(subject)
    return metric.measure(subject, silent)


def drawn(pixels, seed=2):
    """Pictures of the distribution itself: real numbers of a density, else levels."""
    x = pixels.sample(torch.Generator().manual_seed(seed))
    if isinstance(pixels, (BetaPixels, ContinuousBernoulliPixels)):
        return (x * 256).floor().clamp(0, 255) / 255
    return x


def places(found, seed=1):
    chance = torch.rand(found.below.shape, generator=torch.Generator().manual_seed(seed))
    return found.below + chance.double() * (found.upto - found.below)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", KNOWN)
def test_pixels_of_the_forecast_itself_lie_anywhere_in_it(name, channels):
    """The places of true forecasts are uniform, with levels and with coupled channels too."""
    pixels = DISTRIBUTIONS[name](Draw(6000, channels=channels))
    found = places(forecast(pixels, drawn(pixels)))
    for channel in found.unbind(dim=1):
        assert stats.kstest(channel.flatten().numpy(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"normal", "pixelwise-normal", "laplace"}))
def test_shares_of_levels_are_their_masses(name):
    class Repeated(Draw):
        def __call__(self, *args):
            return super().__call__(*args).repeat(256, *[1] * (len(args) + 1))

    pixels = DISTRIBUTIONS[name](Repeated(8))
    x = LEVELS.repeat_interleave(8).view(-1, 1, 1, 1)
    found = forecast(pixels, x)
    mass = (found.upto - found.below).flatten()
    bound = pixels.log_mass(x).exp()  # of a beta a bound below
    torch.testing.assert_close(mass.view(256, 8).sum(dim=0), torch.ones(8).double())
    assert (mass >= bound * (1 - 1e-5) - 1e-9).all()
    if name != "beta":
        torch.testing.assert_close(mass, bound, rtol=1e-5, atol=1e-8)
    if name in ON_CELLS:
        return
    values = x.flatten() * mass
    mean = values.view(256, 8).sum(dim=0)
    second = (x.flatten() * values).view(256, 8).sum(dim=0)
    torch.testing.assert_close((x - found.error).view(256, 8)[0], mean, rtol=0, atol=1e-9)
    torch.testing.assert_close(
        found.variance.view(256, 8)[0], second - mean.square(), rtol=0, atol=1e-9
    )


WIDTHS = {
    "gaussian": lambda m, s: NormalPixels(m, torch.tensor(s).log() * 2),
    "laplace": lambda m, s: LaplacePixels(m, torch.tensor(s / math.sqrt(2)).log()),
    "discretized-normal": lambda m, s: DiscretizedNormalPixels(m, torch.tensor(s).log() * 2),
    "discretized-logistic": lambda m, s: DiscretizedLogisticPixels(
        m, torch.tensor(s * math.sqrt(3) / math.pi).log()
    ),
    "logistic-mixture": lambda m, s: LogisticMixturePixels(
        torch.zeros(len(m), 1, 4, 4), m.unsqueeze(1), torch.full_like(m, s / 2).log().unsqueeze(1)
    ),
    "pixelwise": lambda m, s: PixelwiseNormalPixels(m, (s * (0.5 + m)).square()),
}


class FixedVAE(KnownVAE):
    """Forecasts the same of every image, whatever its code."""

    def decode(self, z, fit_to=None):
        shades = torch.linspace(0.3, 0.7, 16).view(1, 1, 4, 4)
        return self.make_pixels(shades.expand(len(z), 1, 4, 4))


def subject_with(make, truth, stated, count=500, **options):
    """Images whose pixels have the deviation ``truth``, and a model that says ``stated``."""
    whole = FixedVAE(pixels=lambda mean: make(mean, truth)).decode(torch.zeros(count, 3))
    levels = drawn(whole).mul(255).round().clamp(0, 255).byte()
    return subject_of(FixedVAE(pixels=lambda mean: make(mean, stated)), levels, **options)


@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_true_forecasts_are_calibrated(name):
    figures = measured(Calibration(), subject_with(WIDTHS[name], 0.1, 0.1)).figures
    for share in (50, 90, 95):
        figure = figures[f"coverage_{share}"]
        assert figure.value == pytest.approx(share / 100, abs=3 * figure.error)
        assert figure.error < 0.01
        assert figure.count == 500
    assert figures["error_ratio"].value == pytest.approx(1, abs=3.5 * figures["error_ratio"].error)
    assert figures["mean_z"].value == pytest.approx(0, abs=3.5 * figures["mean_z"].error)
    assert figures["ence"].value < 0.06


@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_too_sure_and_too_unsure_forecasts_are_seen(name):
    sure, unsure = (
        measured(Calibration(), subject_with(WIDTHS[name], 0.1, stated)).figures
        for stated in (0.05, 0.2)
    )
    for share in (50, 90, 95):
        low, high = sure[f"coverage_{share}"], unsure[f"coverage_{share}"]
        assert low.value < share / 100 - 10 * low.error
        assert high.value > share / 100 + 3 * high.error
    assert sure["error_ratio"].value == pytest.approx(2, rel=0.08)
    assert unsure["error_ratio"].value == pytest.approx(0.5, rel=0.08)
    assert sure["ence"].value == pytest.approx(1, rel=0.15)


def test_coverage_of_a_normal_that_is_half_as_wide():
    """P(|X| < 1.645 / 2) of a standard normal, in closed form."""
    figures = measured(Calibration(), subject_with(WIDTHS["gaussian"], 0.1, 0.05)).figures
    exact = math.erf(stats.norm.ppf(0.95) / 2 / math.sqrt(2))
    assert figures["coverage_90"].value == pytest.approx(
        exact, abs=3.5 * figures["coverage_90"].error
    )


def test_binomial_is_far_too_sure():
    """Its deviation is 8 levels at the most."""
    images = subject_with(WIDTHS["gaussian"], 0.1, 0.1).images
    model = FixedVAE(pixels=lambda mean: BinomialPixels(torch.logit(mean)))
    figures = measured(Calibration(), subject_of(model, images)).figures
    assert figures["coverage_95"].value < 0.6
    assert figures["error_ratio"].value > 3


def test_spearman_is_that_of_scipy_and_bins_are_equal():
    subject = subject_with(WIDTHS["pixelwise"], 0.2, 0.2)
    found = measured(Calibration(bins=4), subject)
    expected = forecast(subject.model.decode(torch.zeros(500, 3)), subject.images.float() / 255)
    square = expected.error.square().flatten(1).float()
    variance = expected.variance.flatten(1).float()
    each = [spearmanr(v, s).statistic for v, s in zip(variance, square, strict=True)]
    assert found.figures["spearman"].value == pytest.approx(sum(each) / 500, abs=1e-5)
    table = found.details["bins"]
    assert [row["pixels"] for row in table] == [2000] * 4
    low = square[:, :4].mean().sqrt().item()
    assert table[0]["found"] == pytest.approx(low, rel=1e-5)
    assert [row["predicted"] for row in table] == sorted(row["predicted"] for row in table)


def test_one_variance_for_all_has_no_order():
    found = measured(Calibration(), subject_with(WIDTHS["gaussian"], 0.1, 0.1))
    assert "spearman" not in found.figures
    assert len(found.details["bins"]) == 1
    assert any("no order" in note for note in found.notes)


@pytest.mark.parametrize("likelihood", ["gaussian", "discretized-logistic:pixel", "beta"])
def test_chunks_and_calls_change_nothing(likelihood):
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=3, width=1 / 32, likelihood=likelihood
    )
    model, images = build_model(settings, (1, 4, 4)), noise(300)
    whole, again, parts = (
        measured(Calibration(), subject_of(model, images, chunk=chunk))
        for chunk in (None, None, 7)
    )
    assert whole == again
    for name, figure in whole.figures.items():
        assert parts.figures[name].value == pytest.approx(figure.value, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("likelihood", "alternative"),
    [("bernoulli", "measure bpd"), ("relaxed-bernoulli", "measure mse")],
)
def test_pixels_without_a_spread_are_refused(likelihood, alternative):
    settings = TrialSettings("mlp", encoder="mlp", width=1 / 32, likelihood=likelihood)
    subject = subject_of(build_model(settings, (1, 4, 4)), noise(20))
    with pytest.raises(InputError, match=f"--likelihood {likelihood} .*{alternative}"):
        Calibration().check(subject)


def test_pixels_of_unknown_kind_are_refused():
    with pytest.raises(InputError, match="no distribution function of object"):
        Calibration().check(subject_of(FixedVAE(pixels=lambda mean: object()), noise(20)))


def test_no_bins_are_refused():
    with pytest.raises(InputError, match="the bins of calibration must be"):
        Calibration(bins=0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_variances_learned_of_digits_rank_errors():
    """Lin et al. 2019: pixels that the model calls uncertain are those that it gets wrong."""
    train, test = load_digits()
    per_pixel, one = (
        measured(
            Calibration(), subject_of(trained(train, epochs=12, likelihood=name), test, train)
        ).figures
        for name in ("gaussian:variance=pixel,first=6", "gaussian:learned")
    )
    assert per_pixel["spearman"].value > 0.3
    # One variance for all is the mean squared error of training (their equation 9).
    assert one["error_ratio"].value == pytest.approx(1, abs=0.05)
    # It is far too wide for most pixels, which are black, and too narrow for the rest.
    assert one["coverage_50"].value > 0.7
    assert one["coverage_95"].value < 0.95
