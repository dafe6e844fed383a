"""Encoders and decoders."""

from vaesearch.catalogue.entry import REPORT, Entry

MODELS = "vaesearch.models"

ENCODERS = (
    Entry("conv", f"{MODELS}.encoders:ConvEncoder", "3 strided convolutions, 128-256-512", REPORT),
    Entry("mlp", f"{MODELS}.encoders:MLPEncoder", "2 dense layers of 256"),
    Entry(
        "residual",
        f"{MODELS}.encoders:ResidualEncoder",
        "residual blocks (blocks=1 a scale) with group normalisation, 64-128-256",
        "He et al. 2016; Vahdat & Kautz 2020",
    ),
    Entry(
        "convnext",
        f"{MODELS}.encoders:ConvNeXtEncoder",
        "depthwise 7x7 and pointwise layers (blocks=2 a scale), 96-192-384",
        "Liu et al. 2022",
    ),
    Entry(
        "gated",
        f"{MODELS}.encoders:GatedEncoder",
        "gated convolutions without normalisation, 32-64-128",
        "Tomczak & Welling 2018",
    ),
    Entry(
        "space-to-depth",
        f"{MODELS}.encoders:SpaceToDepthEncoder",
        "pixels become channels, with a shortcut past each convolution; 128-256-512",
        "Shi et al. 2016; Chen et al. 2024",
    ),
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
    Entry(
        "upsample",
        f"{MODELS}.decoders:UpsampleDecoder",
        "pixels repeated, then 3x3 convolutions: no checkerboard; 256-128-64",
        "Odena et al. 2016",
    ),
    Entry(
        "pixelshuffle",
        f"{MODELS}.decoders:PixelShuffleDecoder",
        "channels become pixels, started without a checkerboard (ICNR); 512-256-128",
        "Shi et al. 2016; Aitken et al. 2017",
    ),
    Entry(
        "residual",
        f"{MODELS}.decoders:ResidualDecoder",
        "residual blocks (blocks=1 a scale) with group normalisation, 256-128-64",
        "He et al. 2016; Vahdat & Kautz 2020",
    ),
    Entry(
        "convnext",
        f"{MODELS}.decoders:ConvNeXtDecoder",
        "depthwise 7x7 and pointwise layers (blocks=2 a scale), 384-192-96",
        "Liu et al. 2022",
    ),
    Entry(
        "gated",
        f"{MODELS}.decoders:GatedDecoder",
        "gated convolutions without normalisation, 128-64-32",
        "Tomczak & Welling 2018",
    ),
    Entry(
        "broadcast",
        f"{MODELS}.decoders:BroadcastDecoder",
        "z and coordinates at every pixel, 4 convolutions of 64; any size",
        "Watters et al. 2019",
    ),
    Entry(
        "ladder",
        f"{MODELS}.decoders:LadderDecoder",
        "residual, with a group of z for each of 2 to 4 scales, as in ladder:3",
        "Sønderby et al. 2016; Child 2021",
    ),
)
