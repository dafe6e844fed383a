"""A linear VAE with Gaussian noise, of which everything is known in closed form.

x = W z + b + noise of variance s², so log p(x) = log N(x; b, W Wᵀ + s² I), and p(z|x) is a
Gaussian of precision Λ = I + Wᵀ W / s². The best diagonal Gaussian has its mean and the variances
1 / Λ_ii, so its gap to log p(x) is ½ (sum of log Λ_ii - log det Λ) for every x (Cremer et al.
2018 call it the approximation gap).
"""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, kl_divergence

from vaesearch.data import ImageData
from vaesearch.models.likelihoods import Likelihood
from vaesearch.models.pixels import NormalPixels
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings

SHAPE, PIXELS = (3, 2, 2), 12
SPREAD = 0.1  # of all that is random in x, which so stays in [0, 1] as pixels do
NOISE = 0.2 * SPREAD**2  # s²


class Pixels(nn.Module):
    """An encoder that hands on the pixels ``[B, 12]``."""

    def __init__(self, *, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.features = PIXELS
        self.register_buffer("like", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).to(self.like)


class Linear(nn.Module):
    """A decoder W z + b."""

    def __init__(self, *, latent_dim: int, shape: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(PIXELS, latent_dim, generator=generator) / 2
        bias = torch.randn(PIXELS, generator=generator) / 10
        self.weight = nn.Parameter(SPREAD * weight)
        self.bias = nn.Parameter(0.5 + SPREAD * bias)

    def forward(self, z: Tensor) -> Tensor:
        return (z.to(self.weight) @ self.weight.T + self.bias).view(-1, *SHAPE)


class Normal(Likelihood):
    """The decoder's output is the mean itself, and the variance is s²."""

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> NormalPixels:
        return NormalPixels(parameters, parameters.new_tensor(NOISE).log())


class LinearGaussianVAE(VAE):
    """The VAE, in float64, and its oracles.

    Args:
        posterior: of any family; it starts as the best diagonal Gaussian (for the families on
            one, up to what their maps do), but for its means, which are ``error`` too high, and
            its log-variances, which are ``widening`` too high.
        latent_dim: size D of z.
        error: of each mean.
        widening: of each log-variance.
        diagonal: make the columns of W orthogonal, so that p(z|x) is a diagonal Gaussian.
        bound: that it claims to be trained with.
    """

    def __init__(
        self,
        posterior: str = "gaussian",
        *,
        latent_dim: int = 3,
        error: float = 0.3,
        widening: float = 0.2,
        diagonal: bool = False,
        bound: str = "elbo",
    ) -> None:
        settings = TrialSettings(
            "linear_gaussian:Linear",
            encoder="linear_gaussian:Pixels",
            likelihood="linear_gaussian:Normal",
            posterior=posterior,
            latent_dim=latent_dim,
            width=1.0,
            bound=bound,
        )
        super().__init__(settings, SHAPE)
        self.double().eval().requires_grad_(False)
        if diagonal:
            left, sizes, _ = torch.linalg.svd(self.weight, full_matrices=False)
            self.decoder.weight.copy_(left * sizes)
        self._start(error, widening)

    def _start(self, error: float, widening: float) -> None:
        means, log_variances = _heads(self.posterior, self.settings.latent_dim)
        towards = torch.linalg.solve(self.precision, self.weight.T) / NOISE
        means[0].copy_(towards)
        means[1].copy_(error - towards @ self.bias)
        log_variances[0].zero_()
        log_variances[1].copy_(widening - self.precision.diagonal().log())

    @property
    def weight(self) -> Tensor:
        """W, ``[12, D]``."""
        return self.decoder.weight

    @property
    def bias(self) -> Tensor:
        """b, ``[12]``."""
        return self.decoder.bias

    @property
    def precision(self) -> Tensor:
        """Λ of p(z|x), ``[D, D]``, the same for every x."""
        identity = torch.eye(self.weight.shape[1], dtype=torch.float64)
        return identity + self.weight.T @ self.weight / NOISE

    def exact_posterior(self, x: Tensor) -> MultivariateNormal:
        """p(z|x) of images ``[B, 3, 2, 2]``."""
        towards = torch.linalg.solve(self.precision, self.weight.T) / NOISE
        mean = (x.flatten(1).double() - self.bias) @ towards.T
        return MultivariateNormal(mean, precision_matrix=self.precision)

    def log_evidence(self, x: Tensor) -> Tensor:
        """Log p(x) in nats, ``[B]``, of any images ``[B, 3, 2, 2]``."""
        covariance = self.weight @ self.weight.T + NOISE * torch.eye(PIXELS).double()
        return MultivariateNormal(self.bias, covariance).log_prob(x.flatten(1).double())

    @property
    def approximation_gap(self) -> float:
        """log p(x) - L[q*] of the best diagonal Gaussian q*, in nats, for every x."""
        precision = self.precision
        return 0.5 * (precision.diagonal().log().sum() - precision.logdet()).item()

    def gap(self, x: Tensor) -> Tensor:
        """log p(x) - L[q] = KL(q || p(z|x)) in nats, ``[B]``, where q is a Gaussian."""
        q = self.encode(x)
        return kl_divergence(
            MultivariateNormal(q.mean, covariance_matrix=q.covariance()), self.exact_posterior(x)
        )

    def images(self, count: int, generator: torch.Generator) -> Tensor:
        """Images of the model, ``[count, 3, 2, 2]`` in float64, all but surely in [0, 1]."""
        z = torch.randn(count, self.weight.shape[1], generator=generator).double()
        noise = torch.randn(count, *SHAPE, generator=generator).double() * NOISE**0.5
        return self.decoder(z) + noise

    def data(self, count: int, seed: int = 0) -> ImageData:
        """As many images for each split, rounded to 8 bits: the oracles hold for any x."""
        generator = torch.Generator().manual_seed(seed)
        levels = self.images(3 * count, generator).mul(255).round().clamp(0, 255)
        train, valid, test = np.split(levels.to(torch.uint8).numpy(), 3)
        digest = hashlib.sha256(levels.numpy().tobytes()).hexdigest()
        return ImageData("linear-gaussian", train, valid, test, "8bit", digest)


def _heads(posterior: nn.Module, latent_dim: int) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of the latents' means and of their log-variances."""
    if hasattr(posterior, "heads") and not hasattr(posterior, "base"):
        layers = posterior.heads  # of the full covariance, in one layer
        parts = [slice(0, latent_dim), slice(latent_dim, 2 * latent_dim)]
        return [(layers.weight[part], layers.bias[part]) for part in parts]
    base = getattr(posterior, "base", posterior)
    layers = [base.mean, base.log_variance]
    return [(layer.weight[:latent_dim], layer.bias[:latent_dim]) for layer in layers]
