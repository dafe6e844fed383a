import math

import pytest
import torch
from known import SCALE, KnownVAE, around, noise, subject_of
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaesearch.errors import InputError
from vaesearch.evaluation.metrics.latents import ActiveUnits, Latents
from vaesearch.evaluation.metrics.parts import KLParts
from vaesearch.evaluation.subject import silent
from vaesearch.models.latents import DiagonalGaussian, Flow, FullGaussian
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

TRIL = torch.tensor([[0.5, 0, 0], [0.3, 0.4, 0], [-0.2, 0.1, 0.6]])


def measured(metric, subject):
    metric.check(subject)
    return metric.measure(subject, silent)


def correlated(mean):
    return FullGaussian(mean, TRIL.expand(len(mean), 3, 3))


def as_flow(mean):
    """The default posterior, as something that has no closed forms."""
    return Flow(around(mean), [])


def test_kl_of_each_latent_is_that_of_torch():
    images = noise(300)
    found = measured(Latents(), subject_of(KnownVAE(), images))
    means = SCALE * (images.flatten(1)[:, :3].double() / 255 - 0.5)
    exact = kl_divergence(Normal(means, math.exp(-1)), Normal(0.0, 1.0))
    assert found.details["kl"] == pytest.approx(exact.mean(dim=0).tolist(), rel=1e-5)
    errors = exact.std(dim=0) / 300**0.5
    assert found.details["kl_error"] == pytest.approx(errors.tolist(), rel=1e-4)
    assert found.figures["kl_latents"].value == pytest.approx(exact.sum(1).mean().item(), rel=1e-5)


def test_correlated_latents_are_taken_by_themselves():
    images = noise(300)
    found = measured(Latents(), subject_of(KnownVAE(posterior=correlated), images))
    means = SCALE * (images.flatten(1)[:, :3].double() / 255 - 0.5)
    deviations = (TRIL @ TRIL.T).diagonal().sqrt().double()
    exact = kl_divergence(Normal(means, deviations), Normal(0.0, 1.0)).mean(dim=0)
    assert found.details["kl"] == pytest.approx(exact.tolist(), rel=1e-5)


def test_latents_that_no_image_moves_are_not_active():
    images = noise(400)
    images.flatten(1)[:, 1] = 130  # the same in every image
    found = measured(Latents(), subject_of(KnownVAE(), images))
    assert found.figures["active_units"].value == 2
    variances = images.flatten(1)[:, :3].double().div(255).mul(SCALE).var(dim=0)
    assert found.details["variance_of_mean"] == pytest.approx(variances.tolist(), abs=1e-6)


def test_threshold_is_a_setting_and_near_it_the_count_is_unsure():
    images = noise(400)
    variance = images.flatten(1)[:, 0].double().div(255).mul(SCALE).var().item()
    subject = subject_of(KnownVAE(latent_dim=1), images)
    assert measured(Latents(variance * 2), subject).figures["active_units"].value == 0
    near = measured(Latents(variance * 0.999), subject)
    assert near.figures["active_units"].error == pytest.approx(0.5, abs=0.01)
    assert near.notes == ("Within two errors of the threshold: 1 of 1 latents.",)


def test_active_units_by_samples_are_without_bias():
    """Eight samples have a variance of 0.017 in their mean, above the threshold."""
    images = noise(1000, low=125, high=131)
    images.flatten(1)[:, 0] = noise(1000, seed=1).flatten(1)[:, 0]
    exact = measured(ActiveUnits(), subject_of(KnownVAE(), images))
    found = measured(ActiveUnits(samples=8), subject_of(KnownVAE(posterior=as_flow), images))
    assert exact.figures["active_units"].value == found.figures["active_units"].value == 1
    for name in range(3):
        error = found.details["variance_error"][name]
        truth = exact.details["variance_of_mean"][name]
        assert found.details["variance_of_mean"][name] == pytest.approx(truth, abs=3.5 * error)


@pytest.mark.parametrize("metric", [Latents(), KLParts()])
@pytest.mark.parametrize(
    ("axes", "reason"),
    [({"posterior": "planar:2"}, "for all together only"), ({"prior": "vampprior:5"}, "N\\(0, 1")],
)
def test_what_has_no_marginals_is_refused_with_an_alternative(metric, axes, reason):
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=2, width=1 / 32, **axes)
    subject = subject_of(build_model(settings, (1, 4, 4)), noise(20))
    with pytest.raises(InputError, match=f"{reason}.*measure"):
        metric.check(subject)
    assert measured(ActiveUnits(samples=5), subject).figures["active_units"].count == 20


@pytest.mark.parametrize("metric", [Latents, ActiveUnits])
@pytest.mark.parametrize("threshold", [0, -1, "x"])
def test_no_threshold_at_all_is_refused(metric, threshold):
    with pytest.raises(InputError, match="threshold of active units must be"):
        metric(threshold)


def test_parts_add_up_to_the_kl():
    subject = subject_of(KnownVAE(posterior=correlated), noise(500))
    figures = measured(KLParts(), subject).figures
    total = sum(figure.value for figure in figures.values())
    means = SCALE * (subject.images.flatten(1)[:, :3].double() / 255 - 0.5)
    exact = MultivariateNormal(means, scale_tril=TRIL.double().expand(500, 3, 3))
    standard = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    wanted = kl_divergence(exact, standard).mean().item()
    error = 3 * sum(figure.error for figure in figures.values())
    assert total == pytest.approx(wanted, abs=error)


def test_codes_of_equal_images_say_nothing_of_them_but_of_each_other():
    images = noise(1).expand(800, -1, -1, -1)
    figures = measured(KLParts(), subject_of(KnownVAE(posterior=correlated), images)).figures
    covariance = (TRIL @ TRIL.T).double()
    exact = 0.5 * (covariance.diagonal().log().sum() - covariance.logdet()).item()
    found = figures["total_correlation"]
    assert figures["index_code_mi"].value == pytest.approx(0, abs=1e-5)
    assert found.value == pytest.approx(exact, abs=3.5 * found.error)
    assert found.error < 0.1 * exact


def test_sharp_codes_tell_images_apart_and_the_limit_is_said():
    def sharp(mean):
        return DiagonalGaussian(mean, torch.full_like(mean, -14.0))

    found = measured(KLParts(), subject_of(KnownVAE(posterior=sharp), noise(300)))
    assert found.figures["index_code_mi"].value == pytest.approx(math.log(300), abs=0.05)
    assert any("at that limit" in note for note in found.notes)


def test_parts_of_so_many_images_and_in_any_chunks(monkeypatch):
    subject = subject_of(KnownVAE(), noise(300))
    whole = measured(KLParts(images=120), subject)
    assert whole.figures["index_code_mi"].count == 120
    assert measured(KLParts(images=120), subject) == whole
    monkeypatch.setattr("vaesearch.evaluation.metrics.parts.NUMBERS", 5000)
    for name, figure in measured(KLParts(images=120), subject).figures.items():
        assert figure.value == pytest.approx(whole.figures[name].value, abs=1e-6)
