"""The commands that draw, as a user types them, with the obvious mistakes."""

import numpy as np
import pytest
from PIL import Image

from vaesearch.api import run_bandit
from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.config import Config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory with two arms, one epoch each."""
    path = tmp_path_factory.mktemp("gallery") / "run"
    config = Config(
        dataset="digits", image_size=8, decoders="mlp,mlp-wide", encoders="mlp", width=0.05,
        latent_dim=2, train_limit=128, epochs=2, policy="uniform", backend="local",
        tracking_uri="none",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESEARCH_CACHE", str(path.parent / "cache"))
        run_bandit(config, path)
    return path


@pytest.fixture
def say(capsys, monkeypatch, tmp_path, run):
    """Run a command on the run in an empty directory: (status, out, err)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_CACHE", str(run.parent / "cache"))

    def say(command, *words):
        status = _status(app, [command, str(run), *map(str, words)], debug=False)
        return status, *capsys.readouterr()

    return say


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sample", "--from", "gmm", "--count", "5"], "5 pictures decoded from a "),
        (["sample", "--arm", "mlp", "--epoch", "1"], "mlp, epoch 1: 64 pictures"),
        (["reconstruct", "--indices", "3,17"], "test images and their reconstructions"),
        (["reconstruct", "--images", "3", "--split", "valid"], "valid images"),
        (["traverse", "--image", "4"], "the others as of test image 4"),
        (["interpolate", "--between", "3,17"], "along lines between the codes of test images 3"),
        (["map", "--drift", "5", "--times", "2"], "drift of the first 5, 2 times over, KL(z'||z)"),
    ],
)
def test_a_command_says_what_it_drew_and_where(say, tmp_path, words, told):
    status, out, err = say(*words, "--out", "a.png", "--out", "a.npz")
    assert (status, err) == (0, "")
    assert told in out
    assert out.endswith("Written: a.png\nWritten: a.npz\n")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width >= 420
    with np.load(tmp_path / "a.npz") as arrays:
        assert told in str(arrays["title"])


def test_the_same_command_draws_the_same_picture(say, tmp_path):
    for name in ("a.png", "b.png"):
        say("sample", "--seed", "3", "--draw", "--out", name)
    say("sample", "--seed", "4", "--draw", "--out", "c.png")
    first, again, other = ((tmp_path / f"{n}.png").read_bytes() for n in "abc")
    assert first == again != other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sample"], "--out"),
        (["sample", "--out", "a.jpg"], "files end in .png"),
        (["sample", "--out", "."], "is a folder"),
        (["sample", "--out", "file/a.png"], "cannot write in"),
        (["sample", "--out", "a.png", "--arm", "mlp-wid"], "did you mean 'mlp-wide'"),
        (["sample", "--out", "a.png", "--epoch", "7"], "no checkpoint of epoch 7"),
        (["sample", "--out", "a.png", "--epoch", "bst"], "bst"),
        (["sample", "--out", "a.png", "--count", "0"], "--count must be"),
        (["sample", "--out", "a.png", "--count", "5000"], "write arrays"),
        (["reconstruct", "--out", "a.png", "--indices", "3,x"], "as in 3,17, not '3,x'"),
        (["reconstruct", "--out", "a.png", "--indices", "9999"], "no test image 9999"),
        (["reconstruct", "--out", "a.png", "--images", "0"], "--images must be"),
        (["reconstruct", "--out", "a.png", "--images", "3", "--indices", "3"], "not both"),
        (["reconstruct", "--out", "a.png", "--uncertainty"], "gaussian:pixel"),
        (["traverse", "--out", "a.png", "--latents", "2"], "there is no latent 2"),
        (["interpolate", "--out", "a.png", "--between", "3"], "takes 2 images"),
        (["interpolate", "--out", "a.png"], "--between"),
        (["map", "--out", "a.png", "--latents", "1"], "two different latents"),
    ],
)
def test_a_mistake_is_said_in_two_lines_at_most_and_draws_nothing(say, tmp_path, words, said):
    (tmp_path / "file").write_text("")
    status, out, err = say(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert 1 <= err.count("\n") <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_no_search_is_refused(say, tmp_path, capsys):
    status = _status(app, ["sample", str(tmp_path), "--out", "a.png"], debug=False)
    assert status == 2
    assert "is not the directory of a search" in capsys.readouterr().err
