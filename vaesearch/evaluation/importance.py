"""The importance-weighted bound on log p(x) with many samples per image (Burda et al. 2016).

The latents of a block of images are drawn at once, in parts whose size follows from theirs alone;
only the decoding goes in chunks. So the figures do not depend on the chunk, and memory does not
depend on the number of samples.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.evaluation.chunks import usual_chunk
from vaesearch.evaluation.joint import Joint
from vaesearch.models.latents import Posterior, Prior
from vaesearch.models.vae import VAE

IMAGES = 250  # encoded at once
LATENTS = 2**22  # numbers in the samples of z drawn at once


def iwae(
    model: VAE,
    x: Tensor,
    generator: torch.Generator | None,
    samples: int,
    *,
    prior: Prior | None = None,
    proposal: Posterior | None = None,
    as_mass: bool = False,
    chunk: int | None = None,
) -> Tensor:
    """Log of the mean of exactly ``samples`` importance weights, in nats, ``[B]``.

    In expectation it is below log p(x), by about half the relative variance of the weights over
    ``samples``.

    Args:
        model: in evaluation mode.
        x: images ``[B, C, H, W]`` in [0, 1].
        generator: of the samples of z, which do not depend on ``prior``.
        samples: K; with 1 it is a sample of the ELBO.
        prior: in place of the model's, such as a mixture fitted to its codes.
        proposal: of the B images, to draw z from in place of q(z|x).
        as_mass: score pixels by the probability of their levels, for bits/dim.
        chunk: pictures decoded at once; by default what is fast on the device. It is halved where
            memory is too short.

    Raises:
        InputError: ``samples`` is no whole number, or below 1; or there is too little memory.
    """
    bounds = iwae_under(
        model, x, generator, samples, [prior], proposal=proposal, as_mass=as_mass, chunk=chunk
    )
    return bounds[0]


@torch.no_grad()
def iwae_under(
    model: VAE,
    x: Tensor,
    generator: torch.Generator | None,
    samples: int,
    priors: Sequence[Prior | None],
    *,
    proposal: Posterior | None = None,
    as_mass: bool = False,
    chunk: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """The bounds of :func:`iwae` under P priors at the same samples of z, ``[P, B]``.

    Of the priors None stands for the model's own; ``progress`` is told the share of all samples
    that is done.
    """
    whole("the samples of an importance-weighted bound", samples)
    if chunk is None:
        chunk = usual_chunk(x[0].numel(), x.device)
    size = IMAGES if proposal is None else len(x)
    blocks: Sequence[Tensor] = torch.split(x, size)
    results = []
    for nth, block in enumerate(blocks):
        joint = Joint(model, block, as_mass=as_mass, chunk=chunk)
        posterior = model.encode(block) if proposal is None else proposal
        sums, done = [], 0
        for part in _parts(samples, len(block) * posterior.mean.shape[-1]):
            sums.append(_log_sums(joint, posterior, generator, part, priors))
            done += part
            if progress is not None:
                progress((nth + done / samples) / len(blocks))
        # One sample's weight is the bound, bit by bit.
        total = torch.logsumexp(torch.stack(sums), dim=0) if len(sums) > 1 else sums[0]
        results.append(total - math.log(samples) if samples > 1 else total)
        chunk = joint.chunk  # smaller now where memory was short
    return torch.cat(results, dim=1)


def _log_sums(
    joint: Joint,
    posterior: Posterior,
    generator: torch.Generator | None,
    samples: int,
    priors: Sequence[Prior | None],
) -> Tensor:
    """Log of the sum of so many weights, ``[P, B]``."""
    z, log_q = posterior.rsample_and_log_prob(generator, samples)
    log_likelihood = joint.log_likelihood(z)
    rows = []
    for prior in priors:
        log_weights = log_likelihood - (log_q - joint.log_prior(z, prior))
        rows.append(log_weights[0] if samples == 1 else torch.logsumexp(log_weights, dim=0))
    return torch.stack(rows)


def _parts(samples: int, numbers: int) -> Iterator[int]:
    """The samples to draw at once, of so many numbers each, one after another."""
    size = max(1, LATENTS // numbers)
    for start in range(0, samples, size):
        yield min(size, samples - start)
