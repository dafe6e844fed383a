"""p(z): what a VAE compares the encodings of images with, and draws new latents from."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaesearch.models.latents import LOG_2PI, Posterior, Prior

Encode = Callable[[Tensor], Posterior]


class StandardNormal:
    """N(0, I) over ``D`` latents."""

    def __init__(self, latent_dim: int, device: torch.device | str = "cpu") -> None:
        self.latent_dim = latent_dim
        self.device = device

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z) in nats ``[...]`` of latents ``[..., D]``."""
        return -0.5 * (z.square() + LOG_2PI).sum(dim=-1)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``."""
        return torch.randn(count, self.latent_dim, generator=generator, device=self.device)


class StandardNormalPrior(nn.Module):
    """N(0, I), with nothing to learn.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; not used here.
    """

    def __init__(self, *, latent_dim: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        # A buffer only to know the device by.
        self.register_buffer("_device", torch.empty(0), persistent=False)

    def forward(self, encode: Encode) -> Prior:
        """p(z); ``encode`` gives q(z|x) to the priors that need it."""
        device: Tensor = self._device  # type: ignore[assignment]
        return StandardNormal(self.latent_dim, device.device)
