import math
from dataclasses import replace

import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.evaluation import iwae
from vaesearch.evaluation.metrics.annealed import AIS, BDMC
from vaesearch.evaluation.metrics.bounds import ELBO, IWAE, BitsPerDim
from vaesearch.evaluation.subject import Subject, silent
from vaesearch.models.vae import build_model
from vaesearch.objectives import elbo_terms


@pytest.fixture
def subject():
    linear = LinearGaussianVAE()
    return Subject(linear, linear.data(60))


def evidence(subject):
    return subject.model.log_evidence(next(subject.batches())).mean().item()


def measured(metric, subject):
    metric.check(subject)
    return metric.measure(subject, silent)


METRICS = (
    ELBO(), ELBO(3), BitsPerDim(4), IWAE(20), IWAE(5, gmm=2), AIS(5, 2), BDMC(5, 2, images=5)
)  # fmt: skip


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_measuring_again_and_in_other_chunks_gives_the_same(metric):
    found = []
    for chunk in (None, None, 7, 1):
        linear = LinearGaussianVAE()
        subject = Subject(linear, linear.data(24), chunk=chunk)
        found.append(measured(metric, subject))
    assert found[0] == found[1]
    for other in found[2:]:
        for name, figure in found[0].figures.items():
            assert other.figures[name].value == pytest.approx(figure.value, rel=1e-6)
            assert other.figures[name].error == pytest.approx(figure.error, rel=1e-5)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_every_figure_has_an_error_and_a_unit_and_progress_rises_to_the_whole(metric, subject):
    shares = []
    found = metric.measure(subject, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    for name, figure in found.figures.items():
        assert figure.error >= 0
        assert figure.count == (5 if isinstance(metric, BDMC) else 60)
        patterns = [unit.rstrip("*") for unit in metric.units]
        assert any(name.startswith(pattern) for pattern in patterns)


def test_more_samples_average_the_noise_of_the_bound(subject):
    one, many = (measured(ELBO(count), subject).figures for count in (1, 40))
    for name in ("elbo", "reconstruction"):
        assert many[name].value == pytest.approx(one[name].value, abs=5 * one[name].error)
        assert many[name].error < one[name].error
    assert many["kl"].value == pytest.approx(one["kl"].value)  # in closed form
    terms = elbo_terms(subject.model, next(subject.batches()), subject.generator("elbo"))
    assert one["elbo"].value == terms.elbo.mean().item()


def test_importance_weighted_bound_with_its_gain_under_a_mixture(subject):
    found = measured(IWAE(30, gmm=3), subject)
    figures, x = found.figures, next(subject.batches())
    assert list(figures) == ["iwae_30", "iwae_30_gmm", "iwae_30_gain"]
    plain = iwae(subject.model, x, subject.generator("iwae"), 30)
    mixture = subject.mixture(3)
    under = iwae(subject.model, x, subject.generator("iwae"), 30, prior=mixture)
    assert figures["iwae_30"].value == plain.mean().item()
    assert figures["iwae_30_gmm"].value == under.mean().item()
    assert figures["iwae_30_gain"].value == pytest.approx((under - plain).mean().item())
    assert figures["iwae_30_gain"].error < figures["iwae_30"].error / 2  # at the same draws
    assert found.notes == (
        "The logarithm of a mean of weights is low in expectation: iwae is a lower bound.",
    )
    assert evidence(subject) - 0.6 < figures["iwae_30"].value < evidence(subject)


def test_annealing_finds_the_evidence_and_says_how_often_it_moved(subject):
    found = measured(AIS(temperatures=60, chains=8), subject)
    assert found.figures["ais"].value == pytest.approx(evidence(subject), abs=0.2)
    assert 0.4 < found.figures["ais_acceptance"].value < 0.99
    assert "lower bound" in found.notes[0]


def test_steps_that_had_no_time_to_adapt_are_pointed_out(subject):
    assert len(measured(AIS(temperatures=5, chains=2), subject).notes) == 1
    subject.model.decoder.weight.mul_(10)  # far too long steps for a posterior so narrow
    for metric in (AIS(temperatures=5, chains=2), BDMC(temperatures=5, chains=2, images=3)):
        found = measured(metric, subject)
        assert any("of the proposals were taken" in note for note in found.notes)


def test_bounds_from_both_sides_close_in(subject):
    wide = measured(BDMC(temperatures=10, chains=4, images=60), subject).figures
    tight = measured(BDMC(temperatures=60, chains=4, images=60), subject).figures
    for figures in (wide, tight):
        gap = figures["bdmc_upper"].value - figures["bdmc_lower"].value
        assert figures["bdmc_gap"].value == pytest.approx(gap)
    assert wide["bdmc_gap"].value > 3 * wide["bdmc_gap"].error
    assert tight["bdmc_gap"].value < 0.7 * wide["bdmc_gap"].value


def test_bits_are_those_of_the_mass(subject):
    figure = measured(BitsPerDim(4), subject).figures["bpd"]
    x = next(subject.batches())
    nats = iwae(subject.model, x, subject.generator("bpd"), 4, as_mass=True)
    assert figure.value == pytest.approx(-nats.mean().item() / 12 / math.log(2))


def test_models_trained_in_bfloat16_are_measured_in_float32():
    linear = LinearGaussianVAE()
    settings = replace(
        linear.settings, decoder="mlp", encoder="mlp", likelihood="gaussian", width=1 / 32
    )
    data, figures = linear.data(20), []
    for precision in ("float32", "bfloat16"):
        model = build_model(replace(settings, precision=precision), (3, 2, 2))
        figures.append(measured(IWAE(3), Subject(model, data)).figures)
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("elbo:0", "the samples of elbo must be a whole number, at least 1, not 0"),
        ("iwae:2.5", "the samples of iwae must be a whole number"),
        ("iwae:5,gmm=0", "the Gaussians of iwae's gmm must be"),
        ("ais:temperatures=1", "temperatures of annealed importance sampling .* at least 3"),
        ("ais:chains=0", "chains of annealed importance sampling"),
        ("ais:schedule=cosine", "unknown schedule of temperatures 'cosine'"),
        ("bdmc:leapfrogs=0", "leapfrogs of annealed importance sampling"),
        ("bdmc:images=1", "the images of bdmc must be a whole number, at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(spec, message):
    with pytest.raises(InputError, match=message):
        catalogue.build("metrics", spec)


def test_more_gaussians_than_the_codes_bear_are_refused(subject):
    with pytest.raises(InputError, match=r"iwae:gmm=6 needs .*take 5 components at most"):
        IWAE(10, gmm=6).check(subject)


def test_a_noise_of_its_own_for_each_metric(subject):
    """In any order of metrics the figures are the same."""
    first = measured(IWAE(3), subject)
    measured(AIS(4, 1), subject)
    torch.manual_seed(1)
    assert measured(IWAE(3), subject) == first
