"""``vaesearch tune`` and ``search`` refuse a bad space before anything is loaded or written."""

import json

import pytest

from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.errors import InputError
from vaesearch.space import shipped_spaces


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run a command in this process, in an empty directory: (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))

    def run(*words):
        status = _status(app, list(words), debug=False)
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tune", "--space", "mnits"], "unknown space 'mnits': did you mean 'mnist'?"),
        (["tune", "--space", "mine.yaml"], "cannot read mine.yaml"),
        (["tune", "--set", "latent_dmi=2..4"], "--set latent_dmi=2..4: unknown parameter"),
        (["tune", "--set", "latent_dim=4..2"], "--set latent_dim=4..2: latent_dim ranges from 4"),
        (["tune", "--set", "posterior=gaussian,realnvp"], "posterior realnvp and alpha"),
        (["tune", "--latent-dim", "8"], "--latent-dim and the space both set latent_dim"),
        (["tune", "--decoders", "mlp", "--set", "decoder=mlp,deconv"], "both set decoder"),
        (["search", "--set", "decoder=mlp,deconv"], "the space names decoder, and --decoders"),
        (["tune", "--objective", "elbo", "--space", "open"], "measure different things"),
    ],
)
def test_refused_before_data_are_looked_for(say, tmp_path, words, said):
    # These data cannot be read, which is found later.
    status, out, err = say(*words, "--dataset", "lost.npz", "--run-dir", "run")
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_list(say):
    status, out, _ = say("list", "spaces", "--json")
    assert status == 0
    assert [row["name"] for row in json.loads(out)] == sorted(shipped_spaces())


def test_decoders_of_a_file_stand_and_five_are_searched_otherwise(say, tmp_path, monkeypatch):
    def told(config, path, **_):
        raise InputError(f"decoders {config.decoders}")

    monkeypatch.setattr("vaesearch.api.run_search", told)
    (tmp_path / "own.yaml").write_text("decoders: mlp,mlp-wide\n")
    assert say("search", "--config", "own.yaml")[2] == "error: decoders mlp,mlp-wide\n"
    assert say("search")[2] == "error: decoders 5\n"
