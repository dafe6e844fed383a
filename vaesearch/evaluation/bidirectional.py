"""Bidirectional Monte Carlo: log p(x) between two bounds, on images that the model made itself.

Of such an image one exact draw of p(z|x) is known, the latent that it was made from. Annealing
from the prior to the posterior gives a lower bound on log p(x), and from that draw to the prior an
upper one (Grosse et al. 2015; Wu et al. 2017). How far they are apart says how far annealing is
off at these settings, and roughly so for real images, too.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.evaluation.ais import LEAPFROGS, Annealed, annealed_importance
from vaesearch.evaluation.chunks import usual_chunk
from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.subject import Progress, part_of, silent
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Bounds:
    """Both ways of annealing, for the same images.

    Attributes:
        lower: from the prior on; its ``log_p`` is low in expectation.
        upper: from the exact draw on; its ``log_p`` is high in expectation.
    """

    lower: Annealed
    upper: Annealed

    @property
    def gap(self) -> Tensor:
        """Upper less lower estimate in nats, ``[B]``: noisy for each image, above 0 on average."""
        return self.upper.log_p - self.lower.log_p


@torch.no_grad()
def simulate(model: VAE, count: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Images ``[count, C, H, W]`` drawn from p(x|z), and their latents ``[count, D]``."""
    z = model.latent_prior().sample(count, generator)
    return model.decode(z).sample(generator), z


def bidirectional(
    model: VAE,
    x: Tensor,
    z: Tensor,
    generator: torch.Generator | None,
    *,
    chains: int,
    temperatures: int,
    leapfrogs: int = LEAPFROGS,
    schedule: str = "linear",
    chunk: int | None = None,
    progress: Progress = silent,
) -> Bounds:
    """Bounds on log p(x) of images ``[B, C, H, W]`` that were made from latents ``[B, D]``.

    The other arguments are those of :func:`~vaesearch.evaluation.ais.annealed_importance` and of
    :class:`~vaesearch.evaluation.joint.Joint`.
    """
    joint = Joint(model, x, chunk=chunk or usual_chunk(x[0].numel(), x.device))
    ways: list[Annealed] = []
    for exact in (None, z):
        way = annealed_importance(
            joint,
            generator,
            chains=chains,
            temperatures=temperatures,
            leapfrogs=leapfrogs,
            schedule=schedule,
            exact=exact,
            progress=part_of(progress, len(ways) / 2, 1 / 2),
        )
        ways.append(way)
    return Bounds(*ways)
