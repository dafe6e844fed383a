"""Small dense networks, another one for each image, evaluated for all images at once."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Weights ``[B, in, out]`` or ``[in, out]``, and biases ``[B, out]`` or ``[out]``.
Layer = tuple[Tensor, Tensor]


class ImageNetworks(nn.Module):
    """Dense layers with ReLU between them, whose weights and biases are free for each image.

    Args:
        layers: where they start, first one first; what has no image dimension starts alike for
            all images.
        masks: of the weights, ``[in, out]`` each, where some must stay 0.
        images: B.
    """

    def __init__(
        self, layers: Sequence[Layer], images: int, masks: Sequence[Tensor] | None = None
    ) -> None:
        super().__init__()
        self.weights = nn.ParameterList(_copies(weight, 2, images) for weight, _ in layers)
        self.biases = nn.ParameterList(_copies(bias, 1, images) for _, bias in layers)
        self.hidden = layers[0][1].shape[-1]
        self.masks = None if masks is None else list(masks)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Two numbers for each latent, ``[..., B, D]`` each, of latents ``[..., B, D]``."""
        hidden = z.reshape(-1, *z.shape[-2:]).transpose(0, 1)
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if depth:
                hidden = F.relu(hidden)
            if self.masks is not None:
                weight = weight * self.masks[depth]
            hidden = torch.baddbmm(bias.unsqueeze(1), hidden, weight)
        made = hidden.transpose(0, 1).reshape(*z.shape[:-1], -1)
        first, second = made.chunk(2, dim=-1)
        return first, second


def _copies(value: Tensor, dims: int, images: int) -> nn.Parameter:
    detached = value.detach()
    if detached.dim() == dims:
        detached = detached.expand(images, *detached.shape)
    return nn.Parameter(detached.clone())


def fresh_layers(sizes: Sequence[int], like: Tensor, generator: torch.Generator) -> list[Layer]:
    """Layers of the sizes: uniform as torch's linear layers are, but for the last, which is 0."""
    layers = []
    for inputs, outputs in pairwise(sizes):
        bound = inputs**-0.5
        weight = like.new_empty(inputs, outputs).uniform_(-bound, bound, generator=generator)
        bias = like.new_empty(outputs).uniform_(-bound, bound, generator=generator)
        layers.append((weight, bias))
    return [*layers[:-1], (torch.zeros_like(weight), torch.zeros_like(bias))]


def linear_layers(
    matrix: Tensor, raw: Tensor, hidden: int, generator: torch.Generator
) -> list[Layer]:
    """Layers whose first numbers are linear in z, and whose second ones are constant.

    With ReLU a pair of units says z. There may be more units: they are there to be used later.

    Args:
        matrix: that z is multiplied by from the right, and what is added, ``[B, D + 1, D]``.
        raw: the second numbers, ``[B, D]``.
        hidden: units of both hidden layers, at least 2 D.
        generator: of what the units beyond 2 D start as.

    Raises:
        ValueError: there are too few units.
    """
    dims = matrix.shape[-1]
    pairs = slice(0, 2 * dims)
    if hidden < 2 * dims:
        raise ValueError(f"{hidden} units cannot say {dims} latents")
    (inner, first), (between, second), (out, _) = fresh_layers(
        (dims, hidden, hidden, 2 * dims), matrix, generator
    )
    identity = torch.eye(dims, dtype=matrix.dtype, device=matrix.device)
    inner[:, pairs] = torch.cat([identity, -identity], dim=1)
    between[:, pairs] = 0
    between.diagonal()[pairs] = 1
    first[pairs] = second[pairs] = 0
    out = out.expand(len(matrix), -1, -1).clone()
    out[:, :dims, :dims], out[:, dims : 2 * dims, :dims] = matrix[:, :-1], -matrix[:, :-1]
    return [(inner, first), (between, second), (out, torch.cat([matrix[:, -1], raw], dim=-1))]
