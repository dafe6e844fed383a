"""z -> maps of numbers, from which a likelihood makes a distribution of pixels.

``outputs`` says how many maps: one per channel for most likelihoods, more where a pixel's
distribution has several parameters.

The dense and the transposed-convolution ones are those of the original report (Abecidan), with its
parameter counts at width 1. A decoder refuses an image size that it cannot make.
"""

from vaesearch.models.decoders.broadcast import BroadcastDecoder
from vaesearch.models.decoders.convnext import ConvNeXtDecoder
from vaesearch.models.decoders.deconv import DeconvDecoder, LinearDeconvDecoder
from vaesearch.models.decoders.dense import MLPDecoder
from vaesearch.models.decoders.gated import GatedDecoder
from vaesearch.models.decoders.ladder import LadderDecoder
from vaesearch.models.decoders.pixelshuffle import PixelShuffleDecoder
from vaesearch.models.decoders.residual import ResidualDecoder
from vaesearch.models.decoders.upsample import UpsampleDecoder

__all__ = [
    "BroadcastDecoder", "ConvNeXtDecoder", "DeconvDecoder", "GatedDecoder", "LadderDecoder",
    "LinearDeconvDecoder", "MLPDecoder", "PixelShuffleDecoder", "ResidualDecoder",
    "UpsampleDecoder",
]  # fmt: skip
