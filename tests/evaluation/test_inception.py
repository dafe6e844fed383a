"""The network of published FIDs, filled with numbers of no meaning: its weights are a download."""

import socket

import numpy as np
import pytest
import torch

from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.evaluation.extractors import make_extractor

module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file like the download, of random numbers."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _bare()
    torch.save(network.state_dict(), path)
    return path


def _bare():
    """The network without any weights file: its loader is handed its own weights."""
    kept = module.FeatureExtractorInceptionV3.load_state_dict
    loader = module.load_state_dict_from_url
    try:
        module.load_state_dict_from_url = lambda *_args, **_kwargs: {}
        module.FeatureExtractorInceptionV3.load_state_dict = lambda *_args: None
        return module.FeatureExtractorInceptionV3("inception", ["2048"])
    finally:
        module.FeatureExtractorInceptionV3.load_state_dict = kept
        module.load_state_dict_from_url = loader


@pytest.fixture
def grey():
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), np.uint8)
    return ImageData("noise", images, images, images, "8bit", "f")


def test_a_file_of_weights_is_used(grey, weights):
    extractor = make_extractor(f"inception:64,weights={weights}", grey)
    made = extractor(torch.tensor(grey.train).float() / 255)
    assert made.shape == (4, extractor.features) == (4, 64)
    colour = module.FeatureExtractorInceptionV3(
        "inception", ["64"], feature_extractor_weights_path=weights
    )
    torch.testing.assert_close(made, colour(torch.tensor(grey.train).repeat(1, 3, 1, 1))[0])
    assert extractor.facts == {"weights": str(weights)}


def test_digest_follows_the_weights_and_the_layer(grey, weights, tmp_path):
    other = tmp_path / "other.pth"
    other.write_bytes(weights.read_bytes() + b"\0")
    specs = [f"inception:64,weights={weights}", f"inception:64,weights={other}", "inception:64"]
    assert len({make_extractor(spec, grey).digest for spec in [*specs, "inception"]}) == 4


def test_a_file_of_something_else_is_refused(grey, tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"text")
    extractor = make_extractor(f"inception:weights={path}", grey)
    with pytest.raises(InputError, match=r"weights\.pth holds no weights of it"):
        extractor(torch.zeros(1, 1, 8, 8))


def test_no_network_says_what_to_do(grey, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    extractor = make_extractor("inception", grey)
    assert extractor.features == 2048
    with pytest.raises(InputError, match=r"(?s)cannot be downloaded.*weights=FILE.*labels"):
        extractor(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("inception:100", "64, 192, 768, 2048 features, not 100"),
        ("inception:weights=nowhere.pth", r"no file nowhere\.pth"),
    ],
)
def test_other_arguments_are_refused(grey, spec, complaint):
    with pytest.raises(InputError, match=complaint):
        make_extractor(spec, grey)


def test_a_missing_package_is_named(grey, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"vaesearch\[fid\].*--extractor labels"):
        make_extractor("inception", grey)
