"""Distributions of pixels with parameters at random, for tests of what all of them must do."""

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

LEVELS = torch.arange(256, dtype=torch.float64) / 255


class Draw:
    """Random parameters for ``count`` images of ``channels`` x 1 x 1."""

    def __init__(self, count, *, channels=1, seed=0, dtype=torch.float64):
        self.shape = (count, channels, 1, 1)
        self.dtype = dtype
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, low, high, *more):
        shape = (self.shape[0], *more, *self.shape[1:])
        values = torch.empty(shape, dtype=torch.float64)
        return values.uniform_(low, high, generator=self.generator).to(self.dtype)

    def weights(self, components):
        return self(-2, 2, components)[:, :, 0]

    def couplings(self, components):
        channels = self.shape[1]
        if channels == 1:
            return None
        values = self(-1, 1, components)[:, :, :1]
        return values.expand(-1, -1, channels * (channels - 1) // 2, -1, -1).clone()


def _mixture(draw):
    return LogisticMixturePixels(
        draw.weights(4), draw(-0.5, 1.5, 4), draw(-6, 1, 4), draw.couplings(4)
    )


# Scales reach from half a level to far wider than the interval.
MASSES = {
    "normal": lambda d: NormalPixels(d(-1, 2), d(-12, 4)),
    "pixelwise-normal": lambda d: PixelwiseNormalPixels(d(-1, 2), d(-12, 4).exp()),
    "discretized-normal": lambda d: DiscretizedNormalPixels(d(-1, 2), d(-12, 4)),
    "discretized-logistic": lambda d: DiscretizedLogisticPixels(d(-1, 2), d(-6.5, 2)),
    "discretized-logistic-mixture": _mixture,
    "laplace": lambda d: LaplacePixels(d(-1, 2), d(-6.5, 2)),
    "continuous-bernoulli": lambda d: ContinuousBernoulliPixels(d(-40, 40)),
    "binomial": lambda d: BinomialPixels(d(-20, 20)),
}
DISTRIBUTIONS = MASSES | {
    "bernoulli": lambda d: BernoulliPixels(d(-20, 20)),
    "beta": lambda d: BetaPixels(d(-4, 6).exp(), d(-4, 6).exp()),
}


def each_level(make, count, dtype=torch.float64, seed=0):
    """Log-masses ``[256, count]`` of all levels, under ``count`` random distributions."""

    class Repeated(Draw):
        def __call__(self, *args):
            return super().__call__(*args).repeat(256, *[1] * (len(args) - 2 + 3))

    pixels = make(Repeated(count, seed=seed, dtype=dtype))
    x = LEVELS.to(dtype).repeat_interleave(count).view(-1, 1, 1, 1)
    return pixels.log_mass(x).view(256, count)
