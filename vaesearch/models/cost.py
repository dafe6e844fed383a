"""What a model will cost, known before anything is trained.

Everything is counted on meta tensors, which have shapes but neither values nor memory. FLOPs are
those of matrix products and convolutions, a multiplication and an addition being two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from vaesearch.errors import InputError
from vaesearch.models.blocks import Shape
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings

LossOf = Callable[[VAE, Tensor], Tensor]
# A weight, its gradient and Adam's two moments.
COPIES = 4
FEW = 4  # images, where meta tensors will not do


@dataclass(frozen=True)
class Part:
    """A part of a model.

    Attributes:
        parameters: that are trained.
        flops: of a forward pass, for each image.
    """

    parameters: int
    flops: float


@dataclass(frozen=True)
class Cost:
    """Of one model.

    Attributes:
        encoder: with the posterior.
        decoder: by itself.
        parameters: of the whole model, prior and likelihood included.
        step_flops: of a training step, forward and backward, for each image.
        memory: bytes that training on a batch needs: weights, gradients, Adam's moments, and what
            the forward pass keeps for the backward pass.
    """

    encoder: Part
    decoder: Part
    parameters: int
    step_flops: float
    memory: int


def model_cost(settings: TrialSettings, shape: Shape, loss: LossOf | None = None) -> Cost:
    """Count what training the model of ``settings`` on images of ``shape`` takes.

    Args:
        settings: of an arm.
        shape: ``(C, H, W)`` of the images.
        loss: of a model and images ``[B, C, H, W]``, a scalar; the plain bound by default.

    Raises:
        InputError: the parts do not fit the images or are unknown.
    """
    try:
        return _count(settings, shape, loss or _negative_elbo, "meta", settings.batch_size)
    except (RuntimeError, InputError):  # a user's module looks at values
        return _count(settings, shape, loss or _negative_elbo, "cpu", FEW)


def known_cost(settings: TrialSettings, shape: Shape, loss: LossOf) -> Cost | None:
    """As :func:`model_cost`; None where it cannot be counted."""
    try:
        return model_cost(settings, shape, loss)
    except Exception:  # some operation of a user's module
        return None


def _count(settings: TrialSettings, shape: Shape, loss: LossOf, device: str, images: int) -> Cost:
    # Initial weights and noise draw from the global generator.
    with torch.random.fork_rng(devices=[]), torch.device(device):
        model = VAE(settings, shape)
        x = torch.full((images, *shape), 0.5)
        with torch.no_grad():
            encoding = _flops(lambda: model.encode(x)) / images
            z = torch.zeros(images, settings.latent_dim)
            decoding = _flops(lambda: model.decode(z, fit_to=x)) / images
        saved = _Saved(model)
        with _counter() as step:
            with saved_tensors_hooks(saved.pack, _as_it_was):
                value = loss(model, x)
            value.backward()  # type: ignore[no-untyped-call]
    parameters = _parameters(model)
    kept = round(saved.bytes / images * settings.batch_size)
    return Cost(
        Part(_parameters(model.encoder) + _parameters(model.posterior), encoding),
        Part(_parameters(model.decoder), decoding),
        parameters,
        step.get_total_flops() / images,
        COPIES * parameters * torch.float32.itemsize + kept,
    )


def _negative_elbo(model: VAE, x: Tensor) -> Tensor:
    z, log_q = model.encode(x).rsample_and_log_prob()
    log_p = model.latent_prior().log_prob(z)
    return (log_q - log_p - model.decode(z, fit_to=x).log_prob(x)).mean()


def _flops(run: Callable[[], object]) -> int:
    with _counter() as counter:
        run()
    return int(counter.get_total_flops())


def _counter() -> FlopCounterMode:
    backward = torch.ops.aten.convolution_backward
    return FlopCounterMode(display=False, custom_mapping={backward: _convolution_backward})


def _convolution_backward(
    gradient: list[int], x: list[int], weight: list[int], *others: Any, **_: Any
) -> int:
    """As many FLOPs as forward for each gradient; torch's own count forgets the groups.

    The others are, at the end, whether the convolution is transposed, its padding and groups,
    and which gradients are wanted: of input, weight and bias.
    """
    transposed, wanted = others[-4], others[-1]
    forward = conv_flop_count(x, weight, gradient, transposed=transposed)
    return int(forward * sum(wanted[:2]))


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


class _Saved:
    """Adds up what autograd keeps, counting each storage once and the weights not at all."""

    def __init__(self, model: nn.Module) -> None:
        own = [*model.parameters(), *model.buffers()]
        # The storages themselves, lest a freed one's number is given to another.
        self._seen = {_key(t): t.untyped_storage() for t in own}
        self.bytes = 0

    def pack(self, tensor: Tensor) -> Tensor:
        """Take note of ``tensor``."""
        if _key(tensor) not in self._seen:
            self._seen[_key(tensor)] = tensor.untyped_storage()
            self.bytes += tensor.untyped_storage().nbytes()
        return tensor


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _as_it_was(tensor: Tensor) -> Tensor:
    return tensor
