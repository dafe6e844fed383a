"""The networks of the original report (Abecidan): one encoder, K decoders, one of them per batch.

A batch is one pull of an arm. The chosen decoder makes an Adam step on the bound, then the encoder
makes one on the bound of a fresh sample of z. The reward is the log-likelihood of the batch, the
report's negative reconstruction loss, before the step. No other decoder is run: to score all of
them on every batch, as the report did for its regret, costs a multiple of the training, and in
training mode it moves the batch statistics of decoders that were not chosen.

The report multiplies its loss by N/B, images over batch size. Adam divides a constant factor out,
but for its epsilon of 1e-8, so that it is left away here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vaesearch.errors import DivergedError
from vaesearch.models.vae import VAE, build_model
from vaesearch.objectives import Terms, elbo_terms
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import derive
from vaesearch.training import SCALE_RATE


@dataclass(frozen=True)
class SharedEncoder:
    """K models with one encoder, posterior and prior between them.

    Attributes:
        models: by name of the arm; each is a whole VAE, with a decoder and a scale of its own.
        encoder: optimiser of what is shared.
        decoders: optimisers of the rest.
        beta: weight of the KL term.
    """

    models: Mapping[str, VAE]
    encoder: torch.optim.Optimizer
    decoders: Mapping[str, torch.optim.Optimizer]
    beta: float = 1.0

    def step(self, name: str, x: Tensor, generator: torch.Generator | None) -> float:
        """Train the decoder ``name`` and the encoder on a batch ``[B, C, H, W]`` in [0, 1].

        Returns:
            The reward in nats per image.

        Raises:
            DivergedError: it is not a number any more.
        """
        terms = elbo_terms(self.models[name], x, generator)
        _descend(self.decoders[name], self._cost(terms))
        _descend(self.encoder, self._cost(elbo_terms(self.models[name], x, generator)))
        reward = float(terms.log_likelihood.detach().mean())
        if not math.isfinite(reward):
            raise DivergedError(
                f"the reconstruction loss of {name} became {-reward}, and the encoder is shared: "
                "lower --learning-rate."
            )
        return reward

    def _cost(self, terms: Terms) -> Tensor:
        return (self.beta * terms.kl - terms.log_likelihood).mean()


def share_encoder(models: Iterable[VAE]) -> None:
    """Give all ``models`` the encoder, the posterior and the prior of the first."""
    first, *others = models
    for model in others:
        model.encoder, model.posterior, model.prior = first.encoder, first.posterior, first.prior


def count_all(models: Iterable[VAE]) -> int:
    """Trainable parameters of all ``models``; those that they share count once."""
    return sum(p.numel() for p in _parameters(*models))


def new_shared_encoder(
    arms: Sequence[Arm], shape: tuple[int, int, int], seed: int, device: torch.device
) -> SharedEncoder:
    """Untrained; the arms may differ in their decoders only.

    Raises:
        InputError: a decoder does not fit the images.
    """
    models = {a.name: build_model(a.settings, shape, derive(seed, a.name)) for a in arms}
    share_encoder(models.values())
    for model in models.values():
        model.to(device)
    first, settings = models[arms[0].name], arms[0].settings
    shared = _parameters(first.encoder, first.posterior, first.prior)
    decoders = {
        name: _adam(settings, _parameters(model.decoder), _parameters(model.likelihood))
        for name, model in models.items()
    }
    return SharedEncoder(models, _adam(settings, shared), decoders, settings.beta)


def _parameters(*modules: nn.Module) -> list[nn.Parameter]:
    found = {id(p): p for m in modules for p in m.parameters() if p.requires_grad}
    return list(found.values())


def _adam(
    settings: TrialSettings, networks: list[nn.Parameter], scale: Sequence[nn.Parameter] = ()
) -> torch.optim.Optimizer:
    rate = settings.learning_rate
    groups = [
        {"params": networks, "lr": rate},
        {"params": list(scale), "lr": rate * SCALE_RATE},
    ]
    return torch.optim.Adam([g for g in groups if g["params"]], fused=True)


def _descend(optimizer: torch.optim.Optimizer, cost: Tensor) -> None:
    """One step on the optimiser's own parameters: no other gradient is worked out."""
    own = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    cost.backward(inputs=own)  # type: ignore[no-untyped-call]
    optimizer.step()
