"""The joint density of an image and its latents: what inference is measured against."""

from torch import Tensor

from vaesearch.models.vae import VAE


class Joint:
    """log p(x, z) = log p(z) + log p(x|z) of B images, with gradients in z.

    Args:
        model: in evaluation mode; its parameters want no gradient.
        x: images ``[B, C, H, W]`` in [0, 1].
        as_mass: score pixels by the probability of their levels instead of as training does.
    """

    def __init__(self, model: VAE, x: Tensor, *, as_mass: bool = False) -> None:
        self.model = model
        self.x = x
        self.as_mass = as_mass
        self.prior = model.latent_prior()

    def log_prior(self, z: Tensor) -> Tensor:
        """Log p(z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        return self.prior.log_prob(z)

    def log_likelihood(self, z: Tensor) -> Tensor:
        """Log p(x|z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        repeated = self.x.expand(*z.shape[:-2], *self.x.shape).flatten(0, -4)
        pixels = self.model.decode(z.flatten(0, -2))
        scored = pixels.log_mass(repeated) if self.as_mass else pixels.log_prob(repeated)
        return scored.view(z.shape[:-1])

    def __call__(self, z: Tensor) -> Tensor:
        """Log p(x, z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        return self.log_prior(z) + self.log_likelihood(z)
