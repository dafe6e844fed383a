"""What a posterior with free parameters for each image is."""

import torch
from torch import Tensor, nn

from vaesearch.models.latents import DiagonalGaussian, Posterior


class LocalPosterior(nn.Module):
    """q(z|x) of B images, with parameters of their own for each instead of an encoder's.

    Every parameter is ``[B, ...]``. Adam works on each number by itself, so optimising the sum
    of all images' bounds is the same as optimising each image alone.
    """

    def forward(self, *, paired: bool = False) -> Posterior:
        """The posterior.

        Args:
            paired: draw an even number of samples as pairs of opposite noise, which cancels
                most of the noise in the gradient of the mean.
        """
        raise NotImplementedError

    def slow(self) -> list[nn.Parameter]:
        """Parameters that take smaller steps than the others: weights of networks."""
        return []


class PairedGaussian(DiagonalGaussian):
    """A diagonal Gaussian whose samples come in pairs, z and its mirror image at the mean."""

    def _sample(
        self, generator: torch.Generator | None, count: int | None
    ) -> tuple[Tensor, Tensor]:
        noise = paired_noise(self.mean, generator, count)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise, noise


def paired_noise(like: Tensor, generator: torch.Generator | None, count: int | None) -> Tensor:
    """Standard normal ``[count, B, D]``, the second half of it the first half's negative.

    Raises:
        ValueError: ``count`` is odd, or there is none.
    """
    if count is None or count % 2:
        raise ValueError(f"pairs need an even number of samples, not {count}")
    half = like.new_empty((count // 2, *like.shape)).normal_(generator=generator)
    return torch.cat([half, -half])


def gaussian(mean: Tensor, log_variance: Tensor, *, paired: bool) -> DiagonalGaussian:
    """A diagonal Gaussian, with samples in pairs or independent."""
    return (PairedGaussian if paired else DiagonalGaussian)(mean, log_variance)
