"""The loss that an arm's settings name."""

from dataclasses import replace

import torch
from torch import Tensor

from vaesearch import catalogue
from vaesearch.models.vae import VAE
from vaesearch.objectives.annealing import Weights
from vaesearch.objectives.bounds import Bound
from vaesearch.objectives.regularizers import Regularizer
from vaesearch.objectives.terms import consistency
from vaesearch.records import TrialSettings


class Loss:
    """Bound, regulariser, annealing and the consistency term, put together.

    Args:
        settings: of the arm.

    Raises:
        InputError: one of them is unknown or takes other arguments.
    """

    def __init__(self, settings: TrialSettings) -> None:
        self.bound: Bound = catalogue.build("bounds", settings.bound)
        self.regularizer: Regularizer = catalogue.build("regularizers", settings.regularizer)
        self.annealing = catalogue.build("annealings", settings.annealing)
        self.beta = settings.beta
        self.alpha = settings.alpha

    def __call__(
        self,
        model: VAE,
        x: Tensor,
        generator: torch.Generator | None = None,
        progress: float = float("inf"),
    ) -> Tensor:
        """Mean over the batch in nats; the plain VAE's bit by bit at the default settings.

        Args:
            model: in training mode, if it is to be trained.
            x: images ``[B, C, H, W]`` in [0, 1].
            generator: of the noise.
            progress: epochs trained so far, with fractions, for annealing.
        """
        weights: Weights = self.annealing(progress)
        weights = replace(weights, regularizer=self.beta * weights.regularizer)
        cost, terms = self.bound(model, x, generator, self.regularizer, weights)
        if self.alpha:
            cost = cost + self.alpha * consistency(model, terms(), generator)
        return cost.mean()
