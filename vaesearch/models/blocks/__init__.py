"""Pieces that encoders and decoders share."""

from vaesearch.models.blocks.convnext import ConvNeXtBlock, LayerNorm
from vaesearch.models.blocks.dense import mlp
from vaesearch.models.blocks.gated import GatedConv
from vaesearch.models.blocks.residual import ResidualBlock, group_norm
from vaesearch.models.blocks.sizes import (
    Shape,
    check_blocks,
    first_map,
    halvings,
    last_side,
    per_scale,
    scaled,
    smallest_map,
)
from vaesearch.models.blocks.subpixel import SpaceToDepth, SubPixel

__all__ = [
    "ConvNeXtBlock", "GatedConv", "LayerNorm", "ResidualBlock", "Shape", "SpaceToDepth",
    "SubPixel", "check_blocks", "first_map", "group_norm", "halvings", "last_side", "mlp",
    "per_scale", "scaled", "smallest_map",
]  # fmt: skip
