"""The held-out figures of a model: in evaluation mode, with noise that is the same every time.

The same noise for every arm and epoch (common random numbers) takes the sampling error out of
comparisons, and makes evaluating twice give the same figures.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vaesearch.models.latents import Prior, has_density
from vaesearch.models.vae import VAE
from vaesearch.objectives import Terms, consistency, elbo_terms
from vaesearch.seeding import torch_generator

BATCH = 250


def validate(
    model: VAE, images: Tensor, *, has_mass: bool, has_consistency: bool = False
) -> dict[str, float]:
    """Mean figures over ``images``, uint8 ``[N, C, H, W]``.

    Args:
        model: left in evaluation mode.
        images: on the model's device.
        has_mass: whether the likelihood is a probability of these pixels, so that bits/dim exist.
        has_consistency: whether to encode the reconstructions, too, for ``consistency``.

    Returns:
        ``elbo``, ``kl`` and ``reconstruction`` in nats per image, as training sees them (a
        density's nats are comparable only within one likelihood), ``mse`` per pixel and, with
        ``has_mass``, ``bpd``: bits/dim of the bound with log p(x|z) as mass on the pixel levels.
    """
    return _mean_figures(model, images, has_mass=has_mass, has_consistency=has_consistency)


def appraise(
    model: VAE, images: Tensor, *, has_mass: bool, mixture: Prior | None = None
) -> dict[str, float]:
    """The figures of :func:`validate` and ``consistency``: KL(z'||z) in nats (Liu et al. 2020).

    With ``mixture``, a prior that was fitted to codes of training images, the bound under it, too:
    ``elbo_gmm`` and ``bpd_gmm``, at the same samples of z.
    """
    return _mean_figures(model, images, has_mass=has_mass, has_consistency=True, mixture=mixture)


@torch.no_grad()
def _mean_figures(
    model: VAE,
    images: Tensor,
    *,
    has_mass: bool,
    has_consistency: bool,
    mixture: Prior | None = None,
) -> dict[str, float]:
    model.eval()
    generator = torch_generator(0, "validation", device=images.device)
    other = torch_generator(0, "consistency", device=images.device)
    sums: dict[str, Tensor] = {}
    for x in _batches(images):
        terms = elbo_terms(model, x, generator)
        figures = _figures(terms, x, has_mass)
        if has_consistency and has_density(terms.posterior):
            figures["consistency"] = consistency(model, terms, other)
        if mixture is not None:
            figures |= _under(mixture, terms, figures, x[0].numel())
        for name, values in figures.items():
            sums[name] = sums.get(name, 0) + values.sum(dtype=torch.float64)
    return {name: float(value) / len(images) for name, value in sums.items()}


def _figures(terms: Terms, x: Tensor, has_mass: bool) -> dict[str, Tensor]:
    """Figures per image, each ``[B]``."""
    figures = {
        "elbo": terms.elbo,
        "kl": terms.kl,
        "reconstruction": terms.log_likelihood,
        "mse": (terms.pixels.mean - x).square().flatten(1).mean(dim=1),
    }
    if has_mass:
        is_mass = terms.pixels.is_mass
        log_mass = terms.log_likelihood if is_mass else terms.pixels.log_mass(x)
        nats = log_mass - terms.kl
        figures["bpd"] = -nats / (x[0].numel() * math.log(2))
    return figures


def _under(
    mixture: Prior, terms: Terms, figures: dict[str, Tensor], dims: int
) -> dict[str, Tensor]:
    """The bound with another prior, per image: only log p(z) differs."""
    gain = mixture.log_prob(terms.z) - terms.prior.log_prob(terms.z)
    under = {"elbo_gmm": terms.elbo + gain}
    if "bpd" in figures:
        under["bpd_gmm"] = figures["bpd"] - gain / (dims * math.log(2))
    return under


def _batches(images: Tensor) -> Iterator[Tensor]:
    for start in range(0, len(images), BATCH):
        yield images[start : start + BATCH].float().div_(255)
