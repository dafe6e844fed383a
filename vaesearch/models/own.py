"""Networks from the catalogue or a user's own module, held to what a VAE needs of them."""

from typing import Any

import torch
from torch import Tensor, nn

from vaesearch import catalogue
from vaesearch.errors import InputError

PROBE = 2  # images: batch normalisation needs a spread


def build_module(axis: str, spec: str, **context: Any) -> Any:
    """Build the member of ``axis`` that ``spec`` names.

    Raises:
        InputError: as :func:`vaesearch.catalogue.build`, or what was made is no ``nn.Module``.
    """
    module = catalogue.build(axis, spec, **context)
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise InputError(f"{axis[:-1]} {spec!r} makes a {kind}; it must be a torch.nn.Module.")
    return module


def is_own(axis: str, spec: str) -> bool:
    """Whether ``spec`` names a user's own module and none of the catalogue."""
    return catalogue.find(axis, spec) not in catalogue.AXES[axis]


def count_features(encoder: nn.Module, spec: str, shape: tuple[int, int, int]) -> int:
    """F of an encoder ``[B, C, H, W] -> [B, F]``: its attribute ``features``, or found by running.

    Raises:
        InputError: it fails on images of this ``shape``, or makes something else.
    """
    said = getattr(encoder, "features", None)
    if isinstance(said, int):  # many networks call a part of theirs `features`
        return said
    modes = {module: module.training for module in encoder.modules()}
    like = next(encoder.parameters(), torch.empty(0))
    images = torch.full((PROBE, *shape), 0.5, device=like.device)
    encoder.eval()
    with torch.no_grad():
        features = run(f"encoder {spec!r}", encoder, images)
    for module, was_training in modes.items():
        module.training = was_training
    if features.dim() != 2:
        raise InputError(
            f"encoder {spec!r} makes {list(features.shape)} of images {list(images.shape)}; "
            f"wanted [{PROBE}, F]: end it with nn.Flatten()."
        )
    return features.shape[1]


def run(what: str, module: nn.Module, x: Tensor) -> Tensor:
    """What ``module`` makes of ``x``.

    Raises:
        InputError: it raises an error, or does not make a tensor of floats; says ``what`` did.
    """
    try:
        made = module(x)
    # Whatever a user's module may raise.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{what} fails on {list(x.shape)}: {type(error).__name__}: {reason}"
        ) from error
    if not isinstance(made, Tensor) or not made.is_floating_point():
        kind = f"a tensor of {made.dtype}" if isinstance(made, Tensor) else type(made).__name__
        raise InputError(f"{what} makes {kind} of {list(x.shape)}; it must be a tensor of floats.")
    return made
