"""Encoders and decoders."""

from vaesearch.catalogue.entry import REPORT, Entry

MODELS = "vaesearch.models"

ENCODERS = (
    Entry("conv", f"{MODELS}.encoders:ConvEncoder", "3 strided convolutions, 128-256-512", REPORT),
    Entry("mlp", f"{MODELS}.encoders:MLPEncoder", "2 dense layers of 256"),
)
DECODERS = (
    Entry(
        "mlp",
        f"{MODELS}.decoders:MLPDecoder",
        "dense 128-256-512",
        REPORT,
        {"hidden": (128, 256, 512)},
    ),
    Entry(
        "mlp-wide",
        f"{MODELS}.decoders:MLPDecoder",
        "dense 256-512-1024",
        REPORT,
        {"hidden": (256, 512, 1024)},
    ),
    Entry(
        "deconv-deep",
        f"{MODELS}.decoders:DeconvDecoder",
        "transposed convolutions 1024-512-256-128 from 2x2",
        REPORT,
        {"channels": (1024, 512, 256, 128)},
    ),
    Entry(
        "deconv",
        f"{MODELS}.decoders:DeconvDecoder",
        "transposed convolutions 1024-512-256 from 4x4",
        REPORT,
        {"channels": (1024, 512, 256)},
    ),
    Entry(
        "linear-deconv",
        f"{MODELS}.decoders:LinearDeconvDecoder",
        "dense, then transposed convolutions with SELU (deeper on grey images)",
        REPORT,
    ),
)
