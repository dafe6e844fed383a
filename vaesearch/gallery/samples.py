"""Pictures of latents that are drawn at random."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from vaesearch.arguments import number, whole
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation import fit_aggregate
from vaesearch.evaluation.pictures import shown_at, to_levels
from vaesearch.gallery.common import caption, noise, on_device
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.priors import StandardNormal
from vaesearch.trained import Trained

SOURCES = ("prior", "gmm")
_HOTTEST = 10.0


@dataclass(frozen=True, eq=False)
class Samples:
    """Decoded latents.

    Attributes:
        title: what they are.
        images: uint8 ``[N, C, H, W]``.
        latents: that they were decoded from, float32 ``[N, D]``.
    """

    title: str
    images: np.ndarray
    latents: np.ndarray


def sample(
    trained: Trained,
    count: int = 64,
    *,
    source: str = "prior",
    temperature: float = 1.0,
    components: int | None = None,
    draw: bool = False,
    seed: int = 0,
) -> Samples:
    """Exactly ``count`` pictures of latents drawn at random; the same ones for the same seed.

    Args:
        trained: the model.
        count: how many.
        source: of the latents: ``prior``, or ``gmm``, the mixture fitted to codes of the training
            images (Lin et al. 2019). It is fitted as the search fitted it, whatever the ``seed``.
        temperature: factor on the standard deviations of the Gaussians that are drawn from: below
            1, pictures are more typical and less varied.
        components: of the mixture; by default those of ``--prior gmm:M``, else 10.
        draw: each picture from p(x|z) instead of the mean of that, so with the noise of pixels.
        seed: of all noise.

    Raises:
        InputError: a number out of range, an unknown source, components of no mixture, or a
            temperature for a prior that is no Gaussian.
    """
    whole("--count", count)
    if source not in SOURCES:
        raise unknown_name("--from", source, SOURCES)
    if components is not None:
        whole("--components", components)
        if source != "gmm":
            raise InputError("--components are of the mixture: add --from gmm.")
    if number("--temperature", temperature, 0, _HOTTEST) == 0:
        raise InputError("--temperature must be above 0: at 0 all pictures are the same.")
    z, name = _latents(trained, count, source, temperature, components, seed)
    pixels = shown_at(trained.model, z, noise(trained, seed, "pixels") if draw else None)
    heat = "" if temperature == 1 else f", temperature {temperature:g}"
    kind = "drawn from p(x|z), z" if draw else "decoded"
    text = f"{count} {'picture' if count == 1 else 'pictures'} {kind} from {name}{heat}"
    return Samples(caption(trained, text), to_levels(pixels), z.cpu().numpy())


def _latents(
    trained: Trained,
    count: int,
    source: str,
    temperature: float,
    components: int | None,
    seed: int,
) -> tuple[Tensor, str]:
    """Latents ``[count, D]``, and what they are drawn from."""
    stream = noise(trained, seed, "latents")
    if source == "gmm":
        mixture = mixture_of(trained, components)
        return _at(mixture, temperature).sample(count, stream), named(mixture, components)
    prior = trained.model.latent_prior()
    if isinstance(prior, FullGaussianMixture):
        return _at(prior, temperature).sample(count, stream), f"the prior, {named(prior)}"
    if temperature != 1 and not isinstance(prior, StandardNormal):
        raise InputError(
            f"--temperature scales Gaussians, and --prior {trained.arm.settings.prior} is none: "
            "add --from gmm, or leave it out."
        )
    return prior.sample(count, stream) * temperature, "the prior"


def mixture_of(trained: Trained, components: int | None) -> FullGaussianMixture:
    """The mixture of the model's codes: its own where there is one, else fitted here."""
    if components is None and trained.model.aggregate is not None:
        return trained.model.aggregate
    images = on_device(trained, trained.data.train)
    return fit_aggregate(trained.model, images, trained.config.seed, components)


def named(mixture: FullGaussianMixture, asked: int | None = None) -> str:
    """A mixture in words, with as many components as it has, if not as were ``asked`` for."""
    count = len(mixture.weights)
    fewer = "" if asked in (None, count) else f" (too few images for {asked})"
    return (f"a mixture of {count} Gaussians" if count > 1 else "a Gaussian of codes") + fewer


def _at(mixture: FullGaussianMixture, temperature: float) -> FullGaussianMixture:
    if temperature == 1:
        return mixture
    return FullGaussianMixture(
        mixture.weights, mixture.means, mixture.covariances * temperature**2
    )
