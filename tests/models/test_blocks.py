"""The pieces that encoders and decoders are made of."""

import pytest
import torch
from torch import nn

from vaesearch.errors import InputError
from vaesearch.models.blocks import (
    ConvNeXtBlock,
    GatedConv,
    LayerNorm,
    ResidualBlock,
    SpaceToDepth,
    SubPixel,
    check_blocks,
    group_norm,
    halvings,
    last_side,
    per_scale,
    smallest_map,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


@pytest.fixture(autouse=True)
def same_weights():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("size", range(2, 130))
def test_every_size_is_made_or_a_near_one_is_named_that_can_be(size):
    try:
        side = smallest_map((1, size, size))
    except InputError as error:
        text = str(error)
        assert f"not {size}" in text
        other = int(text.partition("--image-size ")[2].split()[0])
        assert abs(other - size) <= 1 << (halvings(size) - 1)
        size, side = other, smallest_map((1, other, other))
    assert side << halvings(size) == size
    assert side == last_side(size)
    assert size < 8 or 4 <= side < 8


def test_a_scale_has_as_many_channels_as_said_and_the_last_are_repeated():
    assert per_scale((64, 128, 256), 1.0, 28) == (64, 128, 256)
    assert per_scale((64, 128, 256), 0.25, 64) == (16, 32, 64, 64, 64)
    assert per_scale((64, 128, 256), 0.001, 8) == (1, 1)


@pytest.mark.parametrize("channels", [1, 2, 3, 7, 8, 19, 38, 64, 96, 129, 512, 1000])
def test_group_norm_takes_any_number_of_channels(channels, generator):
    norm = group_norm(channels)
    assert channels % norm.num_groups == 0
    assert channels // norm.num_groups >= min(8, channels)
    x = 3 + 2 * torch.randn(4, channels, 6, 6, generator=generator)
    groups = norm(x).view(4, norm.num_groups, -1)
    torch.testing.assert_close(groups.mean(-1), torch.zeros(4, norm.num_groups), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_subpixel_starts_as_nearest_neighbour_upsampling(kernel_size, generator):
    layer = SubPixel(5, 3, kernel_size)
    made = layer(torch.randn(2, 5, 4, 4, generator=generator))
    corner = made[:, :, ::2, ::2]
    assert made.shape == (2, 3, 8, 8)
    assert torch.equal(made, corner.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert corner.std() > 0.1


def test_subpixel_learns_the_pixels_apart(generator):
    layer = SubPixel(5, 3)
    target = torch.randn(2, 3, 8, 8, generator=generator)
    (layer(torch.randn(2, 5, 4, 4, generator=generator)) * target).sum().backward()
    assert not torch.equal(layer.conv.weight.grad[0], layer.conv.weight.grad[1])


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 3), (3, 4), (8, 16), (16, 8), (3, 32)])
@pytest.mark.parametrize("side", [6, 7])
def test_space_to_depth_has_a_shortcut_without_weights(inputs, outputs, side):
    layer = SpaceToDepth(inputs, outputs)
    nn.init.zeros_(layer.conv.weight)
    nn.init.zeros_(layer.conv.bias)
    x = torch.full((2, inputs, side, side), 0.7)
    made = layer(x)
    assert made.shape == (2, outputs, (side + 1) // 2, (side + 1) // 2)
    torch.testing.assert_close(made, torch.full_like(made, 0.7))


def test_residual_block_starts_as_the_identity(generator):
    x = torch.randn(2, 12, 5, 5, generator=generator)
    assert torch.equal(ResidualBlock(12)(x), x)


def test_convnext_block_starts_near_the_identity_and_sees_seven_pixels(generator):
    block = ConvNeXtBlock(12)
    x = torch.randn(2, 12, 9, 9, generator=generator)
    torch.testing.assert_close(block(x), x, atol=1e-5, rtol=0)
    nn.init.ones_(block.scale)
    changed = x.clone()
    changed[:, :, 4, 4] += 1
    seen = (block(changed) != block(x)).any(1)[0]
    assert seen[1:8, 1:8].all()
    assert seen.sum() == 49


def test_layer_norm_is_over_the_channels_of_a_pixel(generator):
    made = LayerNorm(32)(5 + torch.randn(2, 32, 3, 3, generator=generator))
    torch.testing.assert_close(made.mean(1), torch.zeros(2, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.var(1, correction=0), torch.ones(2, 3, 3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_gated_convolutions_keep_the_variance(kernel_size, generator):
    x = torch.randn(8, 64, 16, 16, generator=generator)
    layers = nn.Sequential(*(GatedConv(64, 64, kernel_size) for _ in range(4)))
    assert 0.3 < layers(x)[:, :, 8:9, 8:9].var().item() < 3


def test_gate_closes_and_opens():
    layer = GatedConv(1, 1)
    nn.init.zeros_(layer.conv.weight)
    for gate, passed in ((-100.0, 0.0), (0.0, 0.5), (100.0, 1.0)):
        layer.conv.bias.data = torch.tensor([1.0, gate])
        assert layer(torch.zeros(1, 1, 3, 3)).unique().item() == pytest.approx(passed)


@pytest.mark.parametrize("blocks", [0, -1, 1.5, "x", True, 65])
def test_blocks_are_a_small_whole_number(blocks):
    with pytest.raises(InputError, match="blocks must be a whole number from 1"):
        check_blocks(blocks)
