"""The aggregate posterior q(z) = mean of q(z|x) over the data, as a mixture of Gaussians.

Where the likelihood is sharp, q(z) is far from N(0, I), and decoding the prior gives pictures of
nothing. Lin et al. 2019 (eq. 12) draw from a Gaussian mixture fitted to samples of q(z) instead.
"""

import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.compatibility import most_components
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.priors import FittedMixturePrior
from vaesearch.models.vae import VAE
from vaesearch.seeding import derive, torch_generator

MOST_IMAGES = 5000
CODES_WANTED = 20  # per latent and component, where a number of components is asked for
BATCH = 250  # wide encoders on large images take megabytes of activations for each
COMPONENTS = 10
DRAWS = 10_000  # of the mixture, for its divergence from the prior


@torch.no_grad()
def fit_aggregate(
    model: VAE,
    images: Tensor,
    seed: int,
    components: int | None = None,
    *,
    fitting: AbstractContextManager[None] | None = None,
) -> FullGaussianMixture:
    """A mixture of full covariance fitted to codes of images.

    Args:
        model: in evaluation mode.
        images: training images, uint8 ``[N, C, H, W]`` on the model's device.
        seed: of the codes and the fit.
        components: as many as the prior ``gmm:M`` asks for by default, else 10. There are fewer
            where there are too few codes for them.
        fitting: to be in while the mixture is fitted, which can take minutes without any sign.

    Raises:
        InputError: ``components`` is no whole number, or below 1.
    """
    asked = _components_of(model) if components is None else whole("components", components)
    codes = codes_to_fit(model, images, seed, components)
    count = min(asked or COMPONENTS, most_components(*codes.shape))
    with fitting or nullcontext():
        return fit_codes(codes, count, seed).mixture


@dataclass(frozen=True, eq=False)
class FittedCodes:
    """A mixture, and how many iterations of EM made it; whether they were enough."""

    mixture: FullGaussianMixture
    iterations: int
    converged: bool


def fit_codes(codes: Tensor, components: int, seed: int) -> FittedCodes:
    """A mixture of so many Gaussians of full covariance, fitted to codes ``[N, D]``.

    Raises:
        ValueError: there is none, for want of codes or because they are no numbers.
    """
    model = GaussianMixture(
        components, reg_covar=1e-4, random_state=derive(seed, "mixture") % 2**32
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is in what is returned
        fitted = model.fit(codes.double().cpu().numpy())
    parameters = (fitted.weights_, fitted.means_, fitted.covariances_)
    mixture = FullGaussianMixture(*(torch.tensor(p, device=codes.device) for p in parameters))
    return FittedCodes(mixture, int(fitted.n_iter_), bool(fitted.converged_))


@torch.no_grad()
def codes_to_fit(model: VAE, images: Tensor, seed: int, components: int | None = None) -> Tensor:
    """The codes ``[N, D]`` that :func:`fit_aggregate` fits its mixture to, given the same.

    Samples and not means: the means alone would make the mixture too narrow.
    """
    asked = _components_of(model) if components is None else components
    generator = torch_generator(seed, "aggregate", device=images.device)
    batches = torch.split(images[: _images_for(asked, model)], BATCH)
    return torch.cat([model.encode(x.float().div(255)).rsample(generator) for x in batches])


def count_parameters(mixture: FullGaussianMixture) -> int:
    """Free numbers of a mixture: weights, means and covariances."""
    components, dims = mixture.means.shape
    return components * (1 + dims + dims * (dims + 1) // 2) - 1


def _components_of(model: VAE) -> int | None:
    prior = getattr(model, "prior", None)
    return prior.components if isinstance(prior, FittedMixturePrior) else None


def _images_for(components: int | None, model: VAE) -> int:
    """How many images to encode."""
    if components is None:
        return MOST_IMAGES
    return max(MOST_IMAGES, CODES_WANTED * components * model.settings.latent_dim)


@torch.no_grad()
def divergence(mixture: FullGaussianMixture, model: VAE, seed: int) -> dict[str, float]:
    """KL(q̂ || p) of the mixture q̂ from the model's prior, by 10,000 draws (Lin et al. 2019).

    The mixture follows the noise of its codes, too, so on few images the figure is too high: with
    N codes by about half a nat for every N parameters of the mixture.

    Returns:
        ``aggregate_kl`` in nats, and its standard error ``aggregate_kl_error``.
    """
    prior = model.latent_prior()
    generator = torch_generator(seed, "divergence", device=mixture.means.device)
    z = mixture.sample(DRAWS, generator)
    ratios = mixture.log_prob(z).double() - prior.log_prob(z).double()
    error = ratios.std() / len(z) ** 0.5
    return {"aggregate_kl": ratios.mean().item(), "aggregate_kl_error": error.item()}
