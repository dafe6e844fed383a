"""A diagonal Gaussian and simple maps whose parameters are linear in the features."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaesearch.arguments import whole
from vaesearch.models.latents import Flow, Step
from vaesearch.models.posteriors.diagonal import DiagonalGaussianPosterior
from vaesearch.models.posteriors.heads import at_least_float32

NEAR_IDENTITY = 0.1  # of what decides how far a map is from the identity


class StepwisePosterior(nn.Module):
    """Base of the planar and the radial posterior.

    Args:
        steps: how many maps.
        size: how many parameters each has.
        features: size of the encoder's output.
        latent_dim: size of z.

    Raises:
        InputError: ``steps`` is no whole number of 1 or more.
    """

    name: str

    def __init__(self, steps: int, size: int, *, features: int, latent_dim: int) -> None:
        super().__init__()
        self.steps = whole(f"steps of --posterior {self.name}", steps)
        self.base = DiagonalGaussianPosterior(features=features, latent_dim=latent_dim)
        self.heads = nn.Linear(features, self.steps * size)

    def forward(self, features: Tensor) -> Flow:
        """q(z|x) for features ``[B, F]``."""
        parameters = at_least_float32(self.heads(features)).view(len(features), self.steps, -1)
        return Flow(self.base(features), self.maps(parameters))

    def maps(self, parameters: Tensor) -> Sequence[Step]:
        """The maps of parameters ``[B, steps, size]``."""
        raise NotImplementedError

    def shrink_heads(self, which: slice) -> None:
        """Make the parameters ``which`` of each step small at the start."""
        features = self.heads.in_features
        with torch.no_grad():
            self.heads.weight.view(self.steps, -1, features)[:, which].mul_(NEAR_IDENTITY)
            self.heads.bias.view(self.steps, -1)[:, which].mul_(NEAR_IDENTITY)
