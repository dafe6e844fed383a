"""Networks of a user's own: what runs, and what is refused before a search, naming the arm."""

import sys

import pytest
import torch

from vaesearch.errors import InputError
from vaesearch.models.checks import check_model
from vaesearch.models.vae import build_model, count_parameters
from vaesearch.records import TrialSettings

MODULE = """
import torch
from torch import nn

class Dec(nn.Module):
    def __init__(self, *, latent_dim, shape, outputs, width=1.0, hidden=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, outputs * shape[1] * shape[2]),
            nn.Unflatten(1, (outputs, *shape[1:])))
    def forward(self, z):
        return self.layers(z)

class Some(Dec):
    "Takes two of the four keywords."
    def __init__(self, latent_dim, shape):
        super().__init__(latent_dim=latent_dim, shape=shape, outputs=shape[0])

class Fixed(nn.Sequential):
    "Takes none, and is right for 16 latents and grey images of 12 pixels."
    def __init__(self):
        super().__init__(nn.Linear(16, 144), nn.Unflatten(1, (1, 12, 12)))

def made(latent_dim, **sizes):
    return Dec(latent_dim=latent_dim, **sizes)

class Branching(Dec):
    "Looks at values, which meta tensors have none of."
    def forward(self, z):
        return self.layers(z) if z.sum().item() > 1e9 else 2 * self.layers(z)

class Flat(Dec):
    def forward(self, z):
        return self.layers(z).flatten(1)

class Small(Fixed):
    def __init__(self):
        nn.Sequential.__init__(self, nn.Linear(16, 64), nn.Unflatten(1, (1, 8, 8)))

class Narrow(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(7, 144), nn.Unflatten(1, (1, 12, 12)))

class Pair(Dec):
    def forward(self, z):
        return self.layers(z), z

class Whole(Dec):
    def forward(self, z):
        return self.layers(z).long()

class Lazy(nn.Sequential):
    def __init__(self):
        super().__init__(nn.LazyLinear(144), nn.Unflatten(1, (1, 12, 12)))

class Hungry(Dec):
    def __init__(self, *, latent_dim, blocks):
        pass

class Angry(Dec):
    def __init__(self, **sizes):
        raise RuntimeError("not today")

class Forgetful(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 2)

class Tough(Dec):
    def forward(self, z):
        raise ValueError("cannot\\ncope")

def nothing(**sizes):
    return lambda z: z

class Enc(nn.Module):
    "`features` is a part of it, as in many networks."
    def __init__(self, shape):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(shape[0], 3, 4, 4), nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten())
    def forward(self, x):
        return self.features(x)

class Said(nn.Module):
    def __init__(self, shape, said=27):
        super().__init__()
        self.layers, self.features = Enc(shape).features, said
    def forward(self, x):
        return self.layers(x)

class Looking(Enc):
    def forward(self, x):
        return self.features(x if x.max().item() <= 1 else x / 255)

class Maps(Enc):
    def forward(self, x):
        return self.features[:2](x)
"""
SHAPE = (1, 12, 12)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mynets.py").write_text(MODULE)
    yield
    sys.modules.pop("mynets", None)


def settings(decoder="mlp", encoder="mlp", **changes):
    return TrialSettings(decoder, encoder, **{"latent_dim": 16, "width": 0.05, **changes})


@pytest.mark.parametrize(
    "decoder",
    ["mynets:Dec", "mynets:Dec:hidden=5", "mynets:Some", "mynets:Fixed", "mynets:made",
     "mynets:Branching"],
)  # fmt: skip
@pytest.mark.parametrize("encoder", ["mlp", "mynets:Enc", "mynets:Said", "mynets:Looking"])
def test_what_fits_is_taken_whatever_keywords_it_takes(decoder, encoder):
    chosen = settings(decoder, encoder)
    count = check_model(chosen, SHAPE)
    model = build_model(chosen, SHAPE)
    assert count == sum(p.numel() for p in model.parameters())
    assert model(torch.rand(3, *SHAPE)).shape == (3, *SHAPE)


def test_the_number_of_features_is_found_out_and_nothing_else_changes():
    model = build_model(settings(encoder="mynets:Enc"), SHAPE)
    assert model.features == 3 * 3 * 3
    assert all(module.training for module in model.modules())
    norm = model.encoder.features[1]
    assert norm.num_batches_tracked == 0
    assert torch.equal(norm.running_mean, torch.zeros(3))


def test_the_same_seed_gives_the_same_weights_and_the_check_draws_from_no_global_state():
    chosen = settings("mynets:Branching", "mynets:Enc")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    check_model(chosen, SHAPE)
    one, two = build_model(chosen, SHAPE, 3), build_model(chosen, SHAPE, 3)
    assert torch.equal(torch.rand(3), expected)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("decoder", "said"),
    [
        ("mynets:Flat", r"decoder 'mynets:Flat' makes \[2, 144\] of \[2, 16\]; wanted \[2, 1, 12"),
        ("mynets:Small", r"makes \[2, 1, 8, 8\] of \[2, 16\]; wanted \[2, 1, 12, 12\]"),
        ("mynets:Narrow", r"decoder 'mynets:Narrow' fails on \[2, 16\]: RuntimeError"),
        ("mynets:Pair", r"makes tuple of \[2, 16\]; it must be a tensor of floats"),
        ("mynets:Whole", "makes a tensor of torch.int64"),
        ("mynets:Lazy", "decoder.0.weight is a parameter of a lazy layer"),
        ("mynets:Hungry", "'blocks'.*offered latent_dim, shape, outputs, width"),
        ("mynets:Dec:depth=3", "depth"),
        ("mynets:Angry", "cannot be made: RuntimeError: not today"),
        ("mynets:Forgetful", r"cannot be made: AttributeError: .*__init__"),
        ("mynets:Tough", r"fails on \[2, 16\]: ValueError: cannot cope"),
        ("mynets:nothing", r"makes a function; it must be a torch.nn.Module"),
        ("mynets:torch", "is of type module; name a class or a function"),
        ("mynets:Missing", "module 'mynets' has no 'Missing'"),
        ("elsewhere:Dec", "no module 'elsewhere' can be imported"),
        ("mpl:Dec", "Did you mean the decoder 'mlp'"),
    ],
)
def test_a_decoder_that_does_not_fit_is_refused_in_two_lines(decoder, said):
    with pytest.raises(InputError, match=said) as caught:
        check_model(settings(decoder), SHAPE)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("mynets:Maps", r"makes \[2, 3, 3, 3\] of images \[2, 1, 12, 12\]; wanted \[2, F\]"),
        (
            "mynets:Said:said=99",
            r"makes \[2, 27\] .*; wanted \[2, 99\] \(its attribute `features`",
        ),
        ("mynets:Dec", "missing a required argument: 'latent_dim'.*offered shape, width"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused_in_two_lines(encoder, said):
    with pytest.raises(InputError, match=said) as caught:
        check_model(settings(encoder=encoder), SHAPE)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_likelihood_with_more_maps_asks_an_own_decoder_for_them():
    chosen = settings("mynets:Some", likelihood="discretized-logistic-mixture")
    with pytest.raises(InputError, match=r"makes \[2, 1, 12, 12\] of \[2, 16\]; wanted \[2, \d+"):
        check_model(chosen, SHAPE)
    assert check_model(settings("mynets:Dec", likelihood=chosen.likelihood), SHAPE) > 0


def test_ours_are_counted_as_before():
    assert check_model(settings("mlp"), SHAPE) == count_parameters(settings("mlp"), SHAPE)
