"""The aggregate posterior q(z) = mean of q(z|x) over the data, as a mixture of Gaussians.

Where the likelihood is sharp, q(z) is far from N(0, I), and decoding the prior gives pictures of
nothing. Lin et al. 2019 (eq. 12) draw from a Gaussian mixture fitted to samples of q(z) instead.
"""

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from vaesearch.models.vae import VAE
from vaesearch.seeding import derive, numpy_generator, torch_generator

MOST_IMAGES = 5000
BATCH = 250  # wide encoders on large images take megabytes of activations for each
COMPONENTS = 10


@torch.no_grad()
def sample_aggregate(model: VAE, images: Tensor, count: int, seed: int) -> Tensor:
    """``count`` latents ``[count, D]`` from a full-covariance mixture fitted to q(z).

    Args:
        model: in evaluation mode.
        images: training images, uint8 ``[N, C, H, W]`` on the model's device.
        count: how many latents.
        seed: of the codes, the fit and the draw.
    """
    generator = torch_generator(seed, "aggregate", device=images.device)
    # Samples and not means: the means alone would make the mixture too narrow.
    batches = torch.split(images[:MOST_IMAGES], BATCH)
    codes = torch.cat([model.encode(x.float().div(255)).rsample(generator) for x in batches])
    dims = codes.shape[1]
    # A component needs several codes per dimension, or its covariance is noise.
    components = max(1, min(COMPONENTS, len(codes) // (4 * dims)))
    mixture = GaussianMixture(
        components, reg_covar=1e-4, random_state=derive(seed, "mixture") % 2**32
    ).fit(codes.double().cpu().numpy())
    drawn, _ = mixture.sample(count)
    # They come sorted by component; a grid of pictures should not.
    shuffled = numpy_generator(seed, "mixture").permutation(drawn)
    return torch.tensor(shuffled, dtype=torch.float32, device=images.device)
