"""p(z): what a VAE compares the encodings of images with, and draws new latents from."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaesearch.arguments import whole
from vaesearch.models.latents import LOG_2PI, Posterior, Prior
from vaesearch.models.mixtures import FullGaussianMixture, PosteriorMixture

Encode = Callable[[Tensor], Posterior]
Shape = tuple[int, int, int]

# Images start as pseudo-inputs with their black and white this far from the ends, where the
# logistic function still has a slope to learn by.
MARGIN = 0.02


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


class LatentPrior(nn.Module):
    """What a VAE asks of a prior."""

    def forward(self, encode: Encode) -> Prior:
        """p(z); ``encode`` gives q(z|x) to the priors that need it."""
        raise NotImplementedError

    def start_from(self, images: Tensor, generator: torch.Generator) -> None:
        """Told the training images, uint8 ``[N, C, H, W]``, before the first epoch."""


class StandardNormalPrior(LatentPrior):
    """N(0, I), with nothing to learn.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; not used here.
    """

    def __init__(self, *, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        # A buffer only to know the device by.
        self.register_buffer("_device", torch.empty(0), persistent=False)

    def forward(self, encode: Encode) -> Prior:
        """p(z)."""
        device: Tensor = self._device  # type: ignore[assignment]
        return StandardNormal(self.latent_dim, device.device)


class FittedMixturePrior(StandardNormalPrior):
    """N(0, I) in training; afterwards a mixture fitted to the codes of images (Lin et al. 2019).

    The mixture is made where a trained model is appraised, by
    :func:`vaesearch.evaluation.aggregate.fit_aggregate`, and saved with the model.

    Args:
        components: Gaussians of full covariance.
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; not used here.

    Raises:
        InputError: ``components`` is no whole number, or below 1.
    """

    def __init__(self, components: int = 10, *, latent_dim: int, shape: Shape) -> None:
        super().__init__(latent_dim=latent_dim, shape=shape)
        self.components = whole("the components of prior gmm", components)
        self.fitted: FullGaussianMixture | None = None

    def forward(self, encode: Encode) -> Prior:
        """p(z): the mixture, once there is one."""
        return self.fitted or super().forward(encode)


class VampPrior(LatentPrior):
    """The mean of q(z|u_k) over K learned pictures u_k (Tomczak & Welling 2018).

    The pseudo-inputs are sigmoids of what is learned, so they stay in [0, 1]. They start as
    training images chosen at random, and around mid-grey in a model that sees none.

    Args:
        components: K. Each is encoded in every step, so K as large as a batch doubles the
            encoder's work.
        latent_dim: size of z; not used here.
        shape: ``(C, H, W)`` of the images.

    Raises:
        InputError: ``components`` is no whole number, or below 1.
    """

    def __init__(self, components: int = 100, *, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        self.components = whole("the components of vampprior", components)
        self.logits = nn.Parameter(torch.randn(self.components, *shape))

    @property
    def pseudo_inputs(self) -> Tensor:
        """The pictures ``[K, C, H, W]`` in [0, 1]."""
        return torch.sigmoid(self.logits)

    def forward(self, encode: Encode) -> Prior:
        """p(z)."""
        return PosteriorMixture(encode(self.pseudo_inputs), self.components, self.logits.device)

    @torch.no_grad()
    def start_from(self, images: Tensor, generator: torch.Generator) -> None:
        """Take K of the images, different ones while there are enough, as pseudo-inputs."""
        order = torch.randperm(len(images), generator=generator, device=images.device)
        chosen = order.repeat(-(-self.components // len(images)))[: self.components]
        self.logits.copy_(torch.logit(images[chosen].float() / 255, eps=MARGIN))
