"""The family that a model was trained with, with free parameters for each image."""

import torch
from torch import Tensor

from vaesearch.evaluation.local.core import LocalPosterior
from vaesearch.evaluation.local.flows import LocalIAF, LocalStepwise, local_realnvp
from vaesearch.evaluation.local.gaussians import LocalFullGaussian, LocalGaussian, LocalLadder
from vaesearch.models.ladder import LadderGaussian
from vaesearch.models.latents import DiagonalGaussian, FullGaussian
from vaesearch.models.posteriors.iaf import IAFPosterior
from vaesearch.models.posteriors.realnvp import RealNVPPosterior
from vaesearch.models.posteriors.stepwise import StepwisePosterior
from vaesearch.models.vae import VAE


@torch.no_grad()
def local_family(model: VAE, x: Tensor) -> LocalPosterior | None:
    """What starts exactly as the encoder's q(z|x) and can be optimised for each image.

    Free are all numbers that a posterior is made of: also the weights of a flow's networks,
    which the images share in the model, as in Cremer et al. 2018. None for a posterior of a
    user's own, unless its distribution is one of our Gaussians.

    Args:
        model: in evaluation mode and float32 or better.
        x: images ``[B, C, H, W]`` in [0, 1].
    """
    posterior = model.posterior
    if isinstance(posterior, StepwisePosterior):
        return LocalStepwise(posterior, model.encoder(x))
    if isinstance(posterior, IAFPosterior):
        return LocalIAF(posterior, model.encoder(x))
    if isinstance(posterior, RealNVPPosterior):
        return local_realnvp(posterior, model.encoder(x))
    q = model.encode(x)
    if isinstance(q, LadderGaussian):
        return LocalLadder(q)
    if isinstance(q, FullGaussian):
        return LocalFullGaussian(q)
    return LocalGaussian(q) if isinstance(q, DiagonalGaussian) else None
