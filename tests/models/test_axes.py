"""What every encoder and decoder of the catalogue must do."""

import re
from functools import partial

import pytest
import torch

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.vae import count_parameters
from vaesearch.records import TrialSettings

ENCODERS = [e.name for e in catalogue.ENCODERS]
DECODERS = [e.name for e in catalogue.DECODERS]
BOTH = [("encoders", e) for e in ENCODERS] + [("decoders", d) for d in DECODERS]
SIZES = (16, 28, 30, 32, 48, 64)
# Of the original report, at width 1 on 32x32 images: the encoder with its posterior, decoders.
GREY = (3_117_000, {"mlp": 702_848, "mlp-wide": 1_732_352, "deconv-deep": 11_427_457,
                    "deconv": 12_133_633, "linear-deconv": 2_861_947})  # fmt: skip
COLOUR = (4_757_904, {"mlp": 1_766_272, "mlp-wide": 3_857_152, "deconv-deep": 11_841_155,
                      "deconv": 13_780_227, "linear-deconv": 12_158_343})  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "latent_dim", "counts"), [((1, 32, 32), 100, GREY), ((3, 32, 32), 200, COLOUR)]
)
def test_parameter_counts_are_those_of_the_report(shape, latent_dim, counts):
    encoder_count, decoder_counts = counts
    assert list(decoder_counts) == DECODERS[:5]
    for decoder, count in decoder_counts.items():
        settings = TrialSettings(
            decoder, latent_dim=latent_dim, width=1.0, likelihood="relaxed-bernoulli"
        )
        assert count_parameters(settings, shape) == encoder_count + count


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DECODERS)
def test_decoder_makes_the_shape_or_names_one_that_it_can(name, size, channels):
    build = partial(
        catalogue.build, "decoders", name, latent_dim=6, width=1 / 32, outputs=channels
    )
    if size % _step(name, size, channels):
        with pytest.raises(InputError, match=rf"not {size}: use --image-size \d+") as refused:
            build(shape=(channels, size, size))
        size = int(re.findall(r"--image-size (\d+)", str(refused.value))[0])
    decoder = build(shape=(channels, size, size))
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    assert decoder(z).shape == (2, channels, size, size)


def _step(name, size, channels):
    """Which multiples a decoder can make."""
    if name.startswith("mlp") or name == "broadcast":
        return 1
    if "deconv" in name:  # a fixed number of doublings, one more for those that start from 2x2
        return 16 if name == "deconv-deep" or (name[0] == "l" and channels == 1) else 8
    return {16: 4, 28: 4, 30: 4, 32: 8, 48: 8, 64: 16}[size]  # from 4 to 7 pixels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, *SIZES, 33])
@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_takes_any_size(name, size, channels):
    encoder = catalogue.build("encoders", name, shape=(channels, size, size), width=1 / 32)
    features = encoder(torch.rand(2, channels, size, size))
    assert features.shape == (2, encoder.features)


@pytest.mark.parametrize(("axis", "name"), BOTH)
def test_width_scales_the_layers(axis, name):
    parts = {"decoder": "mlp"} | {axis[:-1]: name}
    counts = [
        count_parameters(TrialSettings(**parts, width=width), (1, 32, 32))
        for width in (0.001, 0.25, 0.3, 0.5, 1.0)
    ]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(
    "spec",
    [
        "conv:3",
        "conv:depth=2",
        "conv:width=2",
        "mlp:hidden=5",
        "gated:blocks=-1",
        "residual:blocks=0",
        "residual:blocks=1.5",
        "convnext:blocks=x",
    ],
)
def test_arguments_that_an_encoder_does_not_take_are_refused_in_words(spec):
    with pytest.raises(InputError, match=f"encoder '{spec}'|blocks must be"):
        catalogue.build("encoders", spec, shape=(1, 8, 8), width=1.0)
