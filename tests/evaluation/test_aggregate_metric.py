import pytest
import torch
from known import KnownVAE, noise, subject_of
from sklearn.mixture import GaussianMixture
from torch.distributions import MultivariateNormal, kl_divergence

from vaesearch.errors import InputError
from vaesearch.evaluation.aggregate import codes_to_fit
from vaesearch.evaluation.metrics.aggregate import Aggregate
from vaesearch.evaluation.subject import silent
from vaesearch.models.priors import FittedMixturePrior
from vaesearch.models.vae import build_model
from vaesearch.objectives import elbo_terms
from vaesearch.records import TrialSettings


@pytest.fixture
def subject():
    return subject_of(KnownVAE(), noise(300, seed=1), noise(1000))


def measured(metric, subject):
    metric.check(subject)
    return metric.measure(subject, silent)


def test_one_gaussian_is_as_far_from_the_prior_as_its_closed_form(subject):
    found = measured(Aggregate(components=1), subject)
    mixture = subject.mixture(1)
    gaussian = MultivariateNormal(mixture.means[0], mixture.covariances[0])
    standard = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    figure = found.figures["aggregate_kl"]
    exact = kl_divergence(gaussian, standard).item()
    assert figure.value == pytest.approx(exact, abs=3 * figure.error)
    assert figure.error < 0.02 * exact
    assert figure.count == 100_000


def test_runs_are_those_of_the_paper_and_differ(subject):
    found = measured(Aggregate(components=2, draws=500, runs=4), subject)
    runs = torch.tensor(found.details["runs"])
    assert len(runs.unique()) == 4
    figure = found.figures["aggregate_kl"]
    assert runs.mean().item() == pytest.approx(figure.value, rel=1e-6)
    assert runs.std().item() / 2 == pytest.approx(figure.error, rel=1)


def test_mixture_of_codes_is_found_by_sklearn_too(subject):
    """Its BIC, and the mean log-density of the codes that it was fitted to."""
    found = measured(Aggregate(components=3), subject)
    mixture = subject.mixture(3)
    oracle = GaussianMixture(3)
    oracle.weights_, oracle.means_ = mixture.weights.numpy(), mixture.means.numpy()
    oracle.covariances_ = mixture.covariances.numpy()
    oracle.precisions_cholesky_ = torch.linalg.cholesky(mixture.covariances.inverse()).numpy()
    codes = codes_to_fit(subject.model, subject.train, 0, 3).numpy()
    assert found.figures["bic"].value == pytest.approx(oracle.bic(codes), rel=1e-6)
    fitted = found.figures["overfit"].value + found.figures["codes_mixture"].value
    assert fitted == pytest.approx(oracle.score(codes), rel=1e-6)
    assert found.details["parameters"] == oracle._n_parameters()


def test_gain_is_that_of_the_prior_alone(subject):
    """The bound under the mixture differs in log p(z) only, at the same codes."""
    figures = measured(Aggregate(components=4), subject).figures
    gain = figures["codes_gain"]
    assert gain.value == pytest.approx(
        figures["codes_mixture"].value - figures["codes_prior"].value, abs=1e-9
    )
    terms = elbo_terms(
        subject.model, subject.images.float() / 255, torch.Generator().manual_seed(5)
    )
    error = 4 * (figures["elbo_gmm"].error + (terms.elbo.std() / 300**0.5).item())
    assert figures["elbo_gmm"].value == pytest.approx(
        terms.elbo.mean().item() + gain.value, abs=error
    )
    assert gain.value > 3 * gain.error


def test_many_components_follow_the_noise_of_few_codes():
    subject = subject_of(KnownVAE(), noise(300, seed=1), noise(120))
    few, many = (measured(Aggregate(components=m), subject) for m in (1, 10))
    assert abs(few.figures["overfit"].value) < 3 * few.figures["overfit"].error
    assert many.figures["overfit"].value > 5 * many.figures["overfit"].error
    assert many.figures["bic"].value > few.figures["bic"].value
    assert many.figures["codes_mixture"].value < few.figures["codes_mixture"].value
    assert any("take fewer components or more training images" in note for note in many.notes)


def test_measuring_twice_is_the_same(subject):
    assert measured(Aggregate(2), subject) == measured(Aggregate(2), subject)


def test_fitted_prior_is_measured_from_where_training_had_it():
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=2, width=1 / 32)
    images = noise(200)
    plain, fitted = build_model(settings, (1, 4, 4)), build_model(settings, (1, 4, 4))
    fitted.prior = FittedMixturePrior(3, latent_dim=2, shape=(1, 4, 4))
    subject = subject_of(fitted, images)
    fitted.take_aggregate(subject.mixture())
    wanted = measured(Aggregate(3), subject_of(plain, images))
    found = measured(Aggregate(3), subject)
    assert found.figures["aggregate_kl"] == wanted.figures["aggregate_kl"]
    error = 4 * (found.figures["elbo_gmm"].error + wanted.figures["elbo_gmm"].error)
    assert found.figures["elbo_gmm"].value == pytest.approx(
        wanted.figures["elbo_gmm"].value, abs=error
    )
    assert any("not the mixture fitted afterwards" in note for note in found.notes)


def test_more_components_than_images_can_tell_apart_are_refused(subject):
    with pytest.raises(InputError, match=r"aggregate:84 needs 4 .*take 83 components at most"):
        Aggregate(84).check(subject)
    Aggregate(83).check(subject)


@pytest.mark.parametrize("settings", [{"components": 0}, {"draws": 1}, {"runs": 0}])
def test_numbers_that_are_none_are_refused(settings):
    with pytest.raises(InputError, match=f"the {next(iter(settings))} of aggregate must be"):
        Aggregate(**settings)


def test_error_over_draws_is_that_of_independent_ones(subject):
    """Standard deviation of the log-ratios over the root of their number."""
    small, large = (measured(Aggregate(1, draws=n, runs=1), subject) for n in (1000, 16000))
    ratio = small.figures["aggregate_kl"].error / large.figures["aggregate_kl"].error
    assert ratio == pytest.approx(4, rel=0.15)
