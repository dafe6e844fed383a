import pytest
import torch
from known import KnownVAE, around, noise, subject_of

from vaesearch.errors import InputError
from vaesearch.evaluation import appraise
from vaesearch.evaluation.metrics.consistency import Consistency
from vaesearch.evaluation.subject import silent
from vaesearch.models.latents import DiagonalGaussian, Flow, kl_divergence
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

GREYS = noise(400, low=70, high=186)  # no codes that pictures cannot show


def measured(metric, subject):
    metric.check(subject)
    return metric.measure(subject, silent)


def small(**axes):
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=3, width=1 / 32, **axes)
    return build_model(settings, (1, 4, 4))


def test_exact_inverse_leaves_the_noise_of_the_sample():
    """z' is N(z, s²) about N(mu, s²): half of the expected squared distance, D / 2."""
    found = measured(Consistency(samples=20), subject_of(KnownVAE(), GREYS))
    figure = found.figures["consistency"]
    assert figure.value == pytest.approx(1.5, abs=3.5 * figure.error)
    assert figure.error < 0.03
    assert figure.count == 400
    assert found.figures["consistency_mean"].value == pytest.approx(0, abs=1e-6)


def test_direction_is_from_the_picture_to_the_image():
    """Liu et al. 2020, eq. 2: the encoding of the reconstruction comes first."""

    class Sharper(KnownVAE):
        def encode_made(self, x):
            made = self.encode(x)
            return DiagonalGaussian(made.mean, made.log_variance - 3)

    found = measured(Consistency(), subject_of(Sharper(), noise(100)))
    mean = torch.zeros(1, 3)
    exact = kl_divergence(DiagonalGaussian(mean, torch.full_like(mean, -5.0)), around(mean))
    assert found.figures["consistency_mean"].value == pytest.approx(exact.item(), rel=1e-4)


def test_estimate_without_closed_form_agrees_with_it():
    flow = KnownVAE(posterior=lambda mean: Flow(around(mean), []))
    found = measured(Consistency(samples=20), subject_of(flow, GREYS))
    figure = found.figures["consistency"]
    assert figure.value == pytest.approx(1.5, abs=3.5 * figure.error)


@pytest.mark.parametrize("posterior", ["gaussian", "full-covariance", "iaf:2"])
def test_chunks_and_calls_change_nothing(posterior):
    images = noise(300)
    model = small(posterior=posterior)
    whole, again, parts = (
        measured(Consistency(samples=3), subject_of(model, images, chunk=chunk))
        for chunk in (None, None, 7)
    )
    assert whole == again
    for name, figure in whole.figures.items():
        assert parts.figures[name].value == pytest.approx(figure.value, rel=1e-6, abs=1e-6)


def test_exactly_so_many_samples_are_decoded():
    counts = []

    class Counting(KnownVAE):
        def decode(self, z, fit_to=None):
            counts.append(len(z))
            return super().decode(z, fit_to)

    measured(Consistency(samples=4), subject_of(Counting(), noise(30)))
    assert sum(counts) == 30 * (4 + 1)


def test_posterior_without_a_density_is_refused():
    subject = subject_of(small(posterior="realnvp:2"), noise(20))
    with pytest.raises(InputError, match="realnvp:2 has none, only a bound: measure mse"):
        Consistency().check(subject)


def test_no_samples_are_refused():
    with pytest.raises(InputError, match="samples of consistency must be a whole number"):
        Consistency(samples=0)


def test_one_sample_is_what_searches_report():
    """The figure of an appraisal is the same one, at other noise."""
    model, images = small().eval(), noise(500)
    figure = measured(Consistency(samples=1), subject_of(model, images)).figures["consistency"]
    reported = appraise(model, images, has_mass=True)["consistency"]
    assert reported == pytest.approx(figure.value, abs=5 * figure.error)
