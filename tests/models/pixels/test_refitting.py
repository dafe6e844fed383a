"""Draws from each distribution give its parameters back when they are fitted to them."""

import pytest
import torch

from vaesearch.models.pixels import (
    BernoulliPixels,
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

COUNT = 20_000


def per_image(value):
    return value.expand(COUNT, 1, 1, 1)


def mixture(weight, first, second, scale):
    logits = torch.stack([weight, torch.zeros(())]).view(1, 2, 1, 1).expand(COUNT, -1, -1, -1)
    means = torch.stack([first, second]).view(1, 2, 1, 1, 1).expand(COUNT, -1, -1, -1, -1)
    return LogisticMixturePixels(logits, means, scale.expand_as(means))


# Made of free parameters; the parameters that drew the pixels; those to start the search from.
CASES = {
    "bernoulli": (lambda t: BernoulliPixels(per_image(t)), [0.9], [0.0]),
    "binomial": (lambda t: BinomialPixels(per_image(t)), [0.9], [0.0]),
    "continuous-bernoulli": (lambda t: ContinuousBernoulliPixels(per_image(t)), [-3.0], [0.0]),
    "normal": (lambda m, v: NormalPixels(per_image(m), v), [0.4, -3.0], [0.5, 0.0]),
    "pixelwise-normal": (
        lambda m, v: PixelwiseNormalPixels(per_image(m), per_image(v.exp())), [0.4, -3.0],
        [0.5, 0.0],
    ),
    "discretized-normal": (
        lambda m, v: DiscretizedNormalPixels(per_image(m), v), [0.4, -3.0], [0.5, 0.0]
    ),
    "discretized-logistic": (
        lambda m, s: DiscretizedLogisticPixels(per_image(m), s), [0.4, -3.0], [0.5, 0.0]
    ),
    "discretized-logistic-mixture": (mixture, [0.7, 0.2, 0.8, -3.5], [0.0, 0.3, 0.7, -2.0]),
    "laplace": (lambda m, s: LaplacePixels(per_image(m), s), [0.4, -2.0], [0.5, 0.0]),
    "beta": (
        lambda a, b: BetaPixels(per_image(a.exp()), per_image(b.exp())), [0.8, 1.4], [0.0, 0.0]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_draws_give_the_parameters_back(name):
    make, truth, start = CASES[name]
    drawn = make(*torch.tensor(truth, dtype=torch.float64).unbind())
    x = drawn.sample(torch.Generator().manual_seed(7))
    if name in ("continuous-bernoulli", "beta"):  # as the levels that images have
        x = (x * 256).floor().clamp(0, 255) / 255
    free = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([free], max_iter=100, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = -make(*free.unbind()).log_prob(x).mean()
        value.backward()
        return value

    search.step(loss)
    assert free.tolist() == pytest.approx(truth, rel=0.05)
