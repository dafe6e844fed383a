"""The Inception network whose features published FIDs are measured in.

Nothing else here imports torch-fidelity, an optional dependency, which rebuilt that network with
the resizing and the weights of the original in TensorFlow.
"""

import hashlib
import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaesearch.data import ImageData
from vaesearch.errors import InputError

SIZES = (64, 192, 768, 2048)
STANDARD = "weights-inception-2015-12-05-6726825d"  # what torch-fidelity downloads


class InceptionExtractor:
    """Features of one layer, averaged over places.

    Args:
        features: of the last layer (2048), or of an earlier one: 64, 192 or 768.
        weights: a file that torch-fidelity can read; it downloads the standard one by default.
        data: not needed; all extractors take it.

    Raises:
        InputError: another number of features, no such file, or torch-fidelity is not installed.
    """

    def __init__(
        self, features: int = 2048, weights: str | None = None, *, data: ImageData
    ) -> None:
        if features not in SIZES:
            sizes = ", ".join(map(str, SIZES))
            raise InputError(f"extractor inception has {sizes} features, not {features!r}.")
        if importlib.util.find_spec("torch_fidelity") is None:
            raise InputError(
                "extractor inception needs torch-fidelity: pip install 'vaesearch[fid]', or "
                "measure with --extractor labels."
            )
        self.path = None if weights is None else Path(str(weights)).expanduser()
        if self.path is not None and not self.path.is_file():
            raise InputError(f"extractor inception: no file {self.path} with weights.")
        self.features = features

    @cached_property
    def digest(self) -> str:
        """Of the weights and the layer."""
        digest = hashlib.sha256(f"inception {self.features} ".encode())
        digest.update(STANDARD.encode() if self.path is None else self.path.read_bytes())
        return digest.hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        """Whose weights they are."""
        return {"weights": STANDARD if self.path is None else str(self.path)}

    def __call__(self, x: Tensor) -> Tensor:
        """Features ``[B, F]``; grey pictures become colour pictures of three equal channels."""
        levels = x.mul(255).round().to(torch.uint8)
        made: Tensor = self._network.to(x.device)(levels.expand(-1, 3, -1, -1))[0]
        return made

    @cached_property
    def _network(self) -> nn.Module:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        try:
            if self.path is not None:
                # torch-fidelity would run whatever code a file may hold: look at it first.
                torch.load(self.path, map_location="cpu", weights_only=True)
            network: nn.Module = FeatureExtractorInceptionV3(
                "inception", [str(self.features)], feature_extractor_weights_path=self.path
            )
        # Pickle has errors of its own, and what a download may raise is as varied.
        except Exception as error:
            raise self._unusable(error) from error
        return network.eval().requires_grad_(False)

    def _unusable(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        if self.path is not None:
            return InputError(f"extractor inception: {self.path} holds no weights of it: {reason}")
        return InputError(
            f"extractor inception: its weights cannot be downloaded ({reason}).\nGive a file that "
            "you have with --extractor inception:weights=FILE, or measure with --extractor labels."
        )
