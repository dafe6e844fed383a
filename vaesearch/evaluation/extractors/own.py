"""A user's own network as an extractor of features."""

import hashlib
import io
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.models.own import PROBE, run


class OwnExtractor:
    """A user's ``nn.Module`` that maps pictures ``[B, C, H, W]`` in [0, 1] to ``[B, F]``.

    Its digest is its own attribute ``digest`` where it has one, and else that of its weights.

    Args:
        spec: as it was typed.
        network: what was made of it.
        data: whose pictures it is to take.

    Raises:
        InputError: it is no module, or does not make vectors of pictures.
    """

    def __init__(self, spec: str, network: Any, data: ImageData) -> None:
        if not isinstance(network, nn.Module):
            kind = type(network).__name__
            raise InputError(f"extractor {spec!r} makes a {kind}; it must be a torch.nn.Module.")
        self.spec = spec
        self.network = network.eval().requires_grad_(False)
        probe = torch.full((PROBE, *data.shape), 0.5)
        made = run(f"extractor {spec!r}", self.network, probe)
        if made.dim() != 2 or len(made) != PROBE:
            raise InputError(
                f"extractor {spec!r} makes {list(made.shape)} of pictures {list(probe.shape)}; "
                f"wanted [{PROBE}, F]: end it with nn.Flatten()."
            )
        self.features = made.shape[1]

    @cached_property
    def digest(self) -> str:
        """Of the spec and the weights."""
        said = getattr(self.network, "digest", None)
        return said if isinstance(said, str) else weights_digest(self.network, self.spec)

    @property
    def facts(self) -> dict[str, Any]:
        """Nothing is known of it."""
        return {}

    def __call__(self, x: Tensor) -> Tensor:
        """Features ``[B, F]``."""
        return run(f"extractor {self.spec!r}", self.network.to(x.device), x)


def weights_digest(network: nn.Module, text: str = "") -> str:
    """SHA-256 in hexadecimal over ``text`` and all weights and buffers of a network."""
    digest = hashlib.sha256(text.encode())
    for name, values in network.state_dict().items():
        held = io.BytesIO()
        torch.save(values.cpu(), held)
        digest.update(name.encode() + held.getvalue())
    return digest.hexdigest()
