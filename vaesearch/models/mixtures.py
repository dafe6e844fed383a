"""Mixtures as priors p(z): of a posterior at chosen pictures, and of fitted Gaussians."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.latents import LOG_2PI, Posterior


class PosteriorMixture:
    """The mean of q(z|u_k) over K pictures u_k (Tomczak & Welling 2018, eq. 9).

    Args:
        posterior: q(z|u) of the K pictures; its density must be there at any z.
        components: K.
        device: where they are.
    """

    def __init__(self, posterior: Posterior, components: int, device: torch.device) -> None:
        self.posterior = posterior
        self.components = components
        self.device = device

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z) in nats ``[...]`` of latents ``[..., D]``; takes ``K`` times their memory."""
        by_component = self.posterior.log_prob(z.unsqueeze(-2))
        return torch.logsumexp(by_component, dim=-1) - math.log(self.components)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``, with gradients into the components."""
        chosen = torch.randint(self.components, (count,), generator=generator, device=self.device)
        # Every component is drawn as often as the most frequent one is needed.
        nth = F.one_hot(chosen, self.components).cumsum(dim=0).gather(1, chosen[:, None])[:, 0] - 1
        drawn = self.posterior.rsample(generator, int(nth.max()) + 1)
        return drawn[nth, chosen]


class FullGaussianMixture:
    """Gaussians of full covariance with weights; computed in float64, given in float32.

    Args:
        weights: ``[M]``, of sum 1.
        means: ``[M, D]``.
        covariances: ``[M, D, D]``, positive definite.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        self.weights, self.means = weights.double(), means.double()
        self.covariances = covariances.double()
        self._factors = torch.linalg.cholesky(self.covariances)
        identity = torch.eye(means.shape[1], dtype=torch.float64, device=means.device)
        self._whitening = torch.linalg.solve_triangular(self._factors, identity, upper=False)
        self._log_scale = self._factors.diagonal(dim1=1, dim2=2).log().sum(dim=1)

    def to_dict(self) -> dict[str, Tensor]:
        """The arguments that it is made of."""
        return {"weights": self.weights, "means": self.means, "covariances": self.covariances}

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats ``[...]`` of latents ``[..., D]``."""
        exact = z.double()
        terms = []
        for weight, mean, whitening, log_scale in zip(
            self.weights, self.means, self._whitening, self._log_scale, strict=True
        ):
            white = (exact - mean) @ whitening.T
            log_density = -0.5 * (white.square() + LOG_2PI).sum(dim=-1) - log_scale
            terms.append(weight.log() + log_density)
        return torch.logsumexp(torch.stack(terms), dim=0).to(z.dtype)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``, in no order."""
        chosen = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = self.means.new_empty(count, self.means.shape[1]).normal_(generator=generator)
        z = self.means[chosen]
        for component, factor in enumerate(self._factors):
            rows = chosen == component
            z[rows] += noise[rows] @ factor.T
        return z.float()
