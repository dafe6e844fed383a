"""Two-dimensional densities that are known but for a constant, and posteriors fitted to them.

A posterior is fitted by its own samples, so that how near it comes is a matter of its family and
of optimisation, and not of an encoder. ``tests/models/test_published_flows.py`` uses the same.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaesearch import catalogue
from vaesearch.seeding import torch_generator

STEPS, SAMPLES, RATE = 3000, 200, 5e-3
WARM_UP = 0.4  # of the steps, in which the target comes in
DRAWS = 100_000  # of the fitted posterior, for its divergence

Target = Callable[[Tensor], Tensor]


def banana(z: Tensor) -> Tensor:
    """A Gaussian bent along a parabola, up to a constant: nats ``[...]`` of ``[..., 2]``."""
    return -0.5 * (
        (z[..., 0] / 1.5).square() + ((z[..., 1] - 0.6 * z[..., 0] ** 2 + 1) / 0.4) ** 2
    )


def two_crescents(z: Tensor) -> Tensor:
    """The first energy of Rezende & Mohamed 2015, table 1, with its sign turned."""
    ring = 0.5 * ((z.norm(dim=-1) - 2) / 0.4).square()
    sides = [-0.5 * ((z[..., 0] + side) / 0.6).square() for side in (-2, 2)]
    return torch.logaddexp(*sides) - ring


def log_normaliser(target: Target) -> float:
    """Log of the integral of exp(target), by a grid."""
    sides = torch.linspace(-8, 8, 1201).double(), torch.linspace(-8, 20, 2101).double()
    cell = math.prod(float(side[1] - side[0]) for side in sides)
    return (torch.logsumexp(target(torch.cartesian_prod(*sides)), 0) + math.log(cell)).item()


def fitted(name: str, target: Target, seed: int = 0, steps: int = STEPS) -> Any:
    """The posterior ``name`` for one picture, fitted to the target, which comes in slowly.

    Without that a flow often starts on one mode and never leaves it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = catalogue.build("posteriors", name, features=1, latent_dim=2)
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    generator, image = torch.Generator().manual_seed(seed), torch.ones(1, 1)
    for step in range(steps):
        share = min(1.0, 0.01 + 0.99 * step / (WARM_UP * steps))
        z, log_q = module(image).rsample_and_log_prob(generator, SAMPLES)
        optimizer.zero_grad()
        (log_q - share * target(z)).mean().backward()
        optimizer.step()
        rate.step()
    return module.requires_grad_(False)(image)


@torch.no_grad()
def divergence(posterior: Any, target: Target, seed: int = 0) -> tuple[float, float]:
    """KL(q || p) in nats by samples of q, and its standard error.

    With an auxiliary variable it is an upper bound: that of the joint density.
    """
    generator = torch_generator(seed, "divergence")
    z, log_q = posterior.rsample_and_log_prob(generator, DRAWS)
    ratios = (log_q - target(z)).double()
    error = ratios.std().item() / DRAWS**0.5
    return ratios.mean().item() + log_normaliser(target), error


def exact(target: Target, extent: tuple[float, float, float, float]) -> np.ndarray:
    """Points ``[N, 2]`` that are distributed as the target is, from a grid over ``extent``."""
    left, right, low, high = extent
    sides = torch.linspace(left, right, 801), torch.linspace(low, high, 801)
    grid = torch.cartesian_prod(*sides).double()
    chances = torch.softmax(target(grid), 0).numpy()
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(grid), DRAWS, p=chances / chances.sum())
    # Within the cell of the grid, so that no grid shows in the picture.
    cell = [(right - left) / 800, (high - low) / 800]
    return grid.numpy()[chosen] + (rng.random((DRAWS, 2)) - 0.5) * cell


TARGETS: dict[str, Target] = {"banana": banana, "two crescents": two_crescents}
