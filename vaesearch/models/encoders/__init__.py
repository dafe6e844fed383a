"""x -> features. An encoder says how many with its attribute ``features``; any size will do."""

from vaesearch.models.blocks import Shape
from vaesearch.models.encoders.convnext import ConvNeXtEncoder
from vaesearch.models.encoders.dense import MLPEncoder
from vaesearch.models.encoders.gated import GatedEncoder
from vaesearch.models.encoders.report import ConvEncoder
from vaesearch.models.encoders.residual import ResidualEncoder
from vaesearch.models.encoders.spacetodepth import SpaceToDepthEncoder

__all__ = [
    "ConvEncoder", "ConvNeXtEncoder", "GatedEncoder", "MLPEncoder", "ResidualEncoder", "Shape",
    "SpaceToDepthEncoder",
]  # fmt: skip
