"""Why gradients go through both encodings of the consistency term, on real digits."""

import logging
import math

import pytest
from digits import load_digits, trained

from vaesearch.errors import DivergedError
from vaesearch.evaluation import appraise
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.objectives import consistency

LOG = logging.getLogger(__name__)


def stopped(model, terms, generator=None):
    """KL(z'||z) with z, the encoding of the image, held fixed."""
    q = terms.posterior
    fixed = DiagonalGaussian(q.mean.detach(), q.log_variance.detach())
    return model.encode_made(terms.pixels.mean).kl_to(fixed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [0, 1])
def test_stopping_the_gradient_at_the_encoding_of_the_image_is_unstable(seed, monkeypatch):
    """It ends worse than a model trained without the term, whose KL(z'||z) is about 6.6."""
    train, test = load_digits()
    options = {"epochs": 20, "seed": seed, "likelihood": "bernoulli", "alpha": 1.0}
    found = {}
    for term in (consistency, stopped):
        monkeypatch.setattr("vaesearch.objectives.loss.consistency", term)
        try:
            model = trained(train, **options)
            found[term] = appraise(model, test, has_mass=False)["consistency"]
        except DivergedError as error:
            LOG.info("%s", error)
            found[term] = math.inf
    LOG.info("KL(z'||z): %s", {term.__name__: value for term, value in found.items()})
    assert found[consistency] < 3
    assert not found[stopped] < 20
