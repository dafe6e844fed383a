"""``vaesearch list decoders --dataset ...``: what each network costs, before it is trained."""

import json

import pytest
import tiny

from vaesearch import catalogue
from vaesearch.cli.costs import _with_prefix, known_shape
from vaesearch.cli.terminal import _status
from vaesearch.config import Config

FEW = {"decoders": catalogue.DECODERS[:5], "encoders": catalogue.ENCODERS[:2]}


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run ``vaesearch list`` with these words, in an empty directory: (status, stdout, stderr)."""
    from vaesearch.cli.app import app

    monkeypatch.chdir(tmp_path)
    for axis, entries in FEW.items():
        monkeypatch.setitem(catalogue.AXES, axis, entries)

    def run(*words):
        status = _status(app, ["list", *map(str, words)], debug=False)
        return status, *capsys.readouterr()

    return run


def test_costs_of_decoders(say, tmp_path):
    status, out, _ = say(
        "decoders", "--dataset", "mnist", "--width", 1, "--latent-dim", 100, "--batch-size", 64
    )
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith("deconv "))
    assert row.split()[1:7] == ["12.1", "M", "542", "M", "1.86", "G"]
    assert "Width 1, images 32x32x1, z of 100, encoder conv." in out
    assert "batches of 64" in out
    assert list(tmp_path.iterdir()) == []  # nothing was downloaded


def test_a_size_that_cannot_be_made_has_a_reason_and_no_figures(say):
    status, out, _ = say("decoders", "--dataset", "fashionmnist", "--image-size", 28)
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith("deconv-deep "))
    assert row.split()[1:5] == ["-"] * 4
    assert "--image-size" in out


def test_costs_as_json_depend_on_what_goes_with_the_network(say):
    def rows(*words):
        status, out, _ = say("encoders", "--dataset", "cifar10", "--json", *words)
        assert status == 0
        return {row["name"]: row for row in json.loads(out)}

    small, large = rows(), rows("--latent-dim", "128", "--decoders", "mlp-wide")
    assert list(small) == [e.name for e in FEW["encoders"]]
    for name, row in small.items():
        assert row["flops"] < row["step_flops"]
        for figure in ("parameters", "flops", "step_flops", "memory"):
            assert row[figure] < large[name][figure]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["decoders", "--width", 2], "add --dataset"),
        (["policies", "--dataset", "mnist"], "costs are of networks"),
        (["--dataset", "mnist"], "costs are of networks"),
        (["decoders", "--dataset", "mnits"], "did you mean 'mnist'"),
        (["decoders", "--dataset", "mnist", "--width", -1], "--width must be above 0"),
        (["decoders", "--dataset", "mnist", "--posterior", "ladder"], "--prior ladder:3"),
        (["decoders", "--dataset", "mnist", "--encoders", "conv:3"], "encoder 'conv:3'"),
        (
            ["encoders", "--dataset", "mnist", "--image-size", 28, "--decoders", "deconv"],
            "multiple of 8",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_words(say, words, said):
    status, out, err = say(*words)
    assert status == 2
    assert said in err
    assert out == ""


def test_own_images_are_read_for_their_channels(say, tmp_path):
    path = tiny.write_dataset(tmp_path)
    shape = known_shape(Config(dataset=str(path), image_size=16))
    assert shape == (1, 16, 16)


def test_members_as_json(say):
    status, out, _ = say("encoders", "--json")
    assert status == 0
    assert [e["name"] for e in json.loads(out)] == [e.name for e in FEW["encoders"]]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"), (999, "999"), (999.7, "1.00 k"), (9_994, "9.99 k"), (9_996, "10.0 k"),
        (99_960, "100 k"), (999_600, "1.00 M"), (1.8642e9, "1.86 G"), (2.5e12, "2500 G"),
    ],
)  # fmt: skip
def test_counts_have_three_digits(count, text):
    assert _with_prefix(count) == text
