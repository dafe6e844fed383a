"""A model whose encodings and pictures are known, for tests of what is measured on them."""

import torch
from torch import nn

from vaesearch.data import ImageData
from vaesearch.evaluation.subject import Subject
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.pixels import NormalPixels
from vaesearch.models.priors import StandardNormalPrior
from vaesearch.records import TrialSettings

SHAPE = (1, 4, 4)
SCALE = 6  # of latents, beside pixels


def around(mean):
    """N(mean, exp(-2)), the default posterior."""
    return DiagonalGaussian(mean, torch.full_like(mean, -2.0))


class KnownVAE(nn.Module):
    """The first pixels are the latents: ``mean = 6 (x - 0.5)``, and decoding is the inverse.

    Args:
        latent_dim: 16 at most.
        posterior: q(z|x) from the means.
        pixels: p(x|z) from the picture.
    """

    def __init__(
        self,
        latent_dim=3,
        posterior=around,
        pixels=lambda mean: NormalPixels(mean, torch.tensor(-3.0)),
        **settings,
    ):
        super().__init__()
        self.settings = TrialSettings("mlp", latent_dim=latent_dim, **settings)
        self.shape = SHAPE
        self.prior = StandardNormalPrior(latent_dim=latent_dim, shape=SHAPE)
        self.weight = nn.Parameter(torch.zeros(()))
        self.make_posterior, self.make_pixels = posterior, pixels

    def encode(self, x):
        return self.make_posterior(SCALE * (x.flatten(1)[:, : self.settings.latent_dim] - 0.5))

    encode_made = encode

    def latent_prior(self):
        return self.prior(self.encode_made)

    def decode(self, z, fit_to=None):
        picture = z.new_full((len(z), 16), 0.5)
        picture[:, : z.shape[1]] = z / SCALE + 0.5
        return self.make_pixels(picture.view(-1, *SHAPE))


def noise(count, seed=0, low=0, high=256):
    """Pictures of independent pixels."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (count, *SHAPE), generator=generator).byte()


def subject_of(model, test, train=None, **options):
    """``model`` with images to be measured on, and others that it was trained on."""
    train = test if train is None else train
    arrays = [images.numpy() for images in (train, test, test)]
    data = ImageData("noise", *arrays, pixels="8bit", fingerprint="")
    return Subject(model, data, **options)
