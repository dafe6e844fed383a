"""Encoders and decoders beyond the report's, at the sizes that data come in."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from vaesearch import catalogue
from vaesearch.models.decoders import BroadcastDecoder, LadderDecoder
from vaesearch.models.vae import build_model
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings

ENCODERS = [e.name for e in catalogue.ENCODERS[2:]]
DECODERS = [e.name for e in catalogue.DECODERS[5:]]
TINY = TrialSettings("mlp", encoder="mlp", latent_dim=6, width=1 / 32, batch_size=2)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(7)


@pytest.fixture(autouse=True)
def same_weights():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("width", [1 / 32, 0.07])
@pytest.mark.parametrize("per_channel", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("name", DECODERS)
def test_decoder_makes_as_many_maps_as_are_wanted(
    name, size, channels, per_channel, width, generator
):
    decoder = catalogue.build(
        "decoders", name, latent_dim=6, shape=(channels, size, size),
        outputs=per_channel * channels, width=width,
    )  # fmt: skip
    maps = decoder(torch.randn(2, 6, generator=generator))
    assert maps.shape == (2, per_channel * channels, size, size)
    assert maps.isfinite().all()
    assert (maps[0] != maps[1]).any()  # of one z and of another


PAIRS = [("residual", d) for d in DECODERS] + [(e, "upsample") for e in ENCODERS]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize(("encoder", "decoder"), PAIRS)
def test_a_step_has_finite_gradients(encoder, decoder, shape, precision, generator):
    settings = replace(TINY, encoder=encoder, decoder=decoder, precision=precision)
    model, loss = build_model(settings, shape), Loss(settings)
    x = torch.rand(2, *shape, generator=generator)
    value = loss(model, x, generator)
    value.backward()
    assert value.isfinite()
    assert value.dtype == torch.float32
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(("axis", "spec"), [
    ("encoders", "residual:blocks=2"), ("encoders", "convnext:blocks=3"),
    ("encoders", "gated:blocks=0"), ("decoders", "residual:blocks=2"),
    ("decoders", "convnext:blocks=1"), ("decoders", "gated:blocks=2"),
    ("decoders", "broadcast:blocks=2"), ("decoders", "ladder:2"), ("decoders", "ladder:4"),
])  # fmt: skip
@pytest.mark.parametrize("size", [8, 28, 64])
def test_depth_is_an_argument(axis, spec, size):
    sizes = {"shape": (1, size, size), "width": 1 / 32}
    if axis == "decoders":
        sizes |= {"latent_dim": 6, "outputs": 1}
    plain, other = (catalogue.build(axis, s, **sizes) for s in (spec.partition(":")[0], spec))
    counts = [sum(p.numel() for p in m.parameters()) for m in (plain, other)]
    assert counts[0] != counts[1]
    x = torch.rand(2, 6) if axis == "decoders" else torch.rand(2, 1, size, size)
    assert len(other(x)) == 2


def test_subpixel_decoder_starts_without_a_checkerboard(generator):
    decoder = catalogue.build(
        "decoders", "pixelshuffle", latent_dim=6, shape=(3, 28, 28), outputs=3, width=1 / 16
    )
    maps = decoder(torch.randn(2, 6, generator=generator))
    corner = maps[:, :, ::2, ::2]
    assert torch.equal(maps, corner.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_broadcast_sees_z_and_the_place_of_every_pixel():
    decoder = BroadcastDecoder(latent_dim=2, shape=(1, 5, 3), outputs=1)
    rows, columns = decoder.coordinates
    assert rows[:, 0].tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert columns[0].tolist() == [-1.0, 0.0, 1.0]
    decoder.layers = nn.Identity()
    seen = decoder(torch.tensor([[7.0, 8.0], [9.0, 10.0]]))
    assert seen.shape == (2, 4, 5, 3)
    assert (seen[0, 0] == 7).all()
    assert (seen[1, 1] == 10).all()
    assert torch.equal(seen[0, 2:], decoder.coordinates)
    assert "coordinates" not in decoder.state_dict()


@pytest.mark.parametrize(("levels", "size"), [(2, 32), (3, 28), (4, 28), (4, 8)])
def test_ladder_decoder_takes_each_group_at_a_scale_of_its_own(levels, size, generator):
    decoder = LadderDecoder(
        levels, latent_dim=2 * levels, shape=(1, size, size), outputs=1, width=1 / 16
    )
    z = torch.randn(1, 2 * levels, generator=generator)
    reach = []
    for group in range(levels):
        moved = z.clone()
        moved[:, 2 * group : 2 * group + 2] += 1
        assert not torch.equal(decoder(moved), decoder(z))
        reach.append(decoder.inputs[group](moved[:, 2 * group : 2 * group + 2]).shape[-1])
    assert reach == sorted(reach)
    assert reach[0] in range(4, 8)
    assert all(after in (2 * before, size) for before, after in pairwise(reach))
