"""What the papers report of samples of the prior and of the aggregate posterior, on real digits.

See the figures with ``--log-cli-level=INFO``.
"""

import logging

import pytest
from digits import load_digits, load_labels, trained

from vaesearch.data import ImageData
from vaesearch.data.labels import Labels
from vaesearch.evaluation.extractors import make_extractor
from vaesearch.evaluation.metrics.fidelity import FID, KID
from vaesearch.evaluation.subject import Subject, silent

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def data():
    (train, test), (train_labels, test_labels) = load_digits(), load_labels()
    labels = Labels(train_labels, test_labels, test_labels)
    return ImageData("mnist", train.numpy(), test.numpy(), test.numpy(), "8bit", "digits", labels)


@pytest.fixture(scope="module")
def figures(data):
    """FID and KID for a wide and for a sharp likelihood."""
    found = {}
    for variance in (0.5, 0.01):
        model = trained(
            load_digits()[0], epochs=15, latent_dim=16, likelihood=f"gaussian:{variance}"
        )
        subject = Subject(model, data)
        found[variance] = {}
        for metric in (FID(components=32), KID(components=32)):
            metric.check(subject)
            found[variance] |= metric.measure(subject, silent).figures
        LOG.info("variance %s: %s", variance, found[variance])
    return found


def test_digits_are_told_apart(data):
    facts = make_extractor("labels", data).facts
    LOG.info("%s", facts)
    assert facts["accuracy"] > 0.94


@pytest.mark.parametrize("metric", ["fid", "kid"])
def test_the_mixture_is_better_than_the_prior_the_more_so_the_sharper_the_likelihood(
    figures, metric
):
    """Lin et al. 2019, figure 1b."""
    gaps = {}
    for variance, found in figures.items():
        prior, mixture = found[f"{metric}_prior"], found[f"{metric}_gmm"]
        gaps[variance] = prior.value - mixture.value
        assert gaps[variance] > 3 * (prior.error**2 + mixture.error**2) ** 0.5
    assert gaps[0.01] > 2 * gaps[0.5]


@pytest.mark.parametrize("metric", ["fid", "kid"])
def test_real_digits_are_the_floor(figures, metric):
    for found in figures.values():
        others = [found[f"{metric}_{name}"] for name in ("prior", "gmm", "reconstruction")]
        real = found[f"{metric}_real"]
        assert all(other.value - real.value > 3 * real.error for other in others)
    if metric == "kid":
        assert abs(real.value) < 3 * real.error


def test_fid_of_real_digits_is_its_bias(data, figures):
    assert figures[0.5]["fid_real"].value < 1
    assert figures[0.5]["fid_real"] == figures[0.01]["fid_real"]
