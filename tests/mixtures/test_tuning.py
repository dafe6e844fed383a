"""Mixtures of a run directory: what is kept, what is found again, and what is refused."""

import json
import shutil

import pytest
import torch
from searched import add_bad_arms, append, copy_of

from vaesearch import load_model, tune_mixtures
from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.errors import CheckpointError, InputError, RunDirError, VaesearchError
from vaesearch.events import SearchResumed
from vaesearch.gallery import sample
from vaesearch.mixtures import fitting
from vaesearch.search.mixtures import best_components
from vaesearch.search.run_dir import RunDir
from vaesearch.trained import open_trained, read_state

ARM = "mlp-wide"


def figures(tuned):
    return [(fit.components, fit.figures, fit.failed) for fit in tuned.fits]


def means_of(run_dir, arm=ARM):
    return torch.load(run_dir / "arms" / arm / "model.pt", weights_only=True)["aggregate"]["means"]


@pytest.fixture
def say(capsys, run_dir):
    def run(*words):
        status = _status(app, ["mixture", *map(str, words)], debug=False)
        return status, *capsys.readouterr()

    return run


def test_the_model_and_its_pictures_carry_the_best_mixture(run_dir):
    arm = run_dir / "arms" / ARM
    pictures = {path.name: path.read_bytes() for path in arm.glob("*.png")}
    weights = load_model(arm / "model.pt").state_dict()
    (tuned,) = tune_mixtures(run_dir, "1..4")
    best = tuned.chosen.components
    assert tuned.arm == ARM
    assert tuned.made == 4
    assert best == max(tuned.fits, key=lambda fit: fit.figures["loglik"].value).components
    model = load_model(arm / "model.pt")
    assert len(model.aggregate.means) == len(means_of(run_dir)) == best
    assert all(torch.equal(model.state_dict()[k], v) for k, v in weights.items())
    assert model.sample(2, torch.Generator(), from_aggregate=True).shape == (2, 1, 16, 16)
    changed = {p.name for p in arm.glob("*.png") if p.read_bytes() != pictures[p.name]}
    assert changed == {"samples.png"}
    arms = json.loads((run_dir / "results.json").read_text())["arms"]
    assert [a.get("gmm_components") for a in arms] == [best, None]
    state = read_state(RunDir(run_dir))
    assert best_components(RunDir(run_dir), state.arms[ARM]) == best
    assert best_components(RunDir(run_dir), state.arms["mlp"]) is None


def test_samples_are_drawn_from_the_chosen_mixture(run_dir):
    assert "10 Gaussians" in sample(open_trained(run_dir), 2, source="gmm").title
    tune_mixtures(run_dir, [3])
    trained = open_trained(run_dir)
    assert torch.equal(trained.model.aggregate.means, means_of(run_dir))
    assert "3 Gaussians" in sample(trained, 2, source="gmm").title
    assert "2 Gaussians" in sample(trained, 2, source="gmm", components=2).title
    assert open_trained(run_dir, "mlp").model.aggregate is None


def test_the_same_question_is_answered_from_the_file(run_dir, monkeypatch):
    (first,) = tune_mixtures(run_dir, "1..3")
    before = {p: p.stat().st_mtime_ns for p in run_dir.rglob("*") if p.is_file()}
    monkeypatch.setattr(fitting, "fit_codes", lambda *_: pytest.fail("it was fitted before"))
    (again,) = tune_mixtures(run_dir, "1..3")
    assert (again.fits, again.chosen, again.made) == (first.fits, first.chosen, 0)
    after = {p: p.stat().st_mtime_ns for p in run_dir.rglob("*") if p.is_file()}
    assert {p for p in after if after[p] != before.get(p)} <= {run_dir / ".lock"}


def test_another_directory_gives_the_same_and_another_seed_does_not(run_dir, tmp_path):
    there = copy_of(run_dir, tmp_path / "there")
    (first,), (second,) = tune_mixtures(run_dir, "1..3"), tune_mixtures(there, "1..3")
    assert figures(first) == figures(second)
    (other,) = tune_mixtures(there, "1..3", seed=5)
    assert figures(first) != figures(other)
    (anew,) = tune_mixtures(run_dir, "1..3", again=True)
    assert (figures(anew), anew.made) == (figures(first), 3)


def test_a_kill_loses_only_the_fit_under_way(run_dir, tmp_path):
    there = copy_of(run_dir, tmp_path / "there")
    (whole,) = tune_mixtures(there, "1..4")

    def stop(arm, fit):
        if fit.components == 2:
            raise KeyboardInterrupt

    model = (run_dir / "arms" / ARM / "model.pt").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        tune_mixtures(run_dir, "1..4", watch=stop)
    assert (run_dir / "arms" / ARM / "model.pt").read_bytes() == model
    made = []
    (rest,) = tune_mixtures(run_dir, "1..4", watch=lambda arm, fit: made.append(fit.components))
    assert made == [3, 4]
    assert figures(rest) == figures(whole)
    assert torch.equal(means_of(run_dir), means_of(there))


def test_pictures_choose_if_asked_to(run_dir):
    more = {"by": "fid", "extractor": "features:Blocks", "samples": 40}
    (tuned,) = tune_mixtures(run_dir, "1..3", **more)
    best = min(tuned.fits, key=lambda fit: fit.figures["fid"].value)
    assert tuned.best == best
    assert best.figures["fid"].error > 0
    assert best.pictures["samples"] == 40
    (again,) = tune_mixtures(run_dir, "1..3", **more)
    assert again.made == 0
    (finer,) = tune_mixtures(run_dir, "1..3", **more | {"samples": 41})
    assert finer.made == 3
    (cheap,) = tune_mixtures(run_dir, "1..3")  # what is known of pictures does no harm
    assert cheap.made == 0


def test_every_arm_if_asked_to(run_dir):
    add_bad_arms(run_dir)
    notes = []
    tuned = tune_mixtures(run_dir, [1, 2], arms="all", note=notes.append)
    assert [each.arm for each in tuned] == [ARM]
    assert any(note.startswith("Left out: late has no checkpoint") for note in notes)
    assert any("mlp failed" in note for note in notes)


def test_a_fitted_prior_of_training_gives_way_to_the_chosen_one(run_dir):
    ledger = run_dir / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace('"prior":"standard"', '"prior":"gmm:3"'))
    (tuned,) = tune_mixtures(run_dir, [2])
    model = load_model(run_dir / "arms" / ARM / "model.pt")
    assert len(model.latent_prior().means) == tuned.chosen.components == 2
    # KL is from N(0, I), the prior of training, and not from the mixture itself.
    assert tuned.best.figures["aggregate_kl"].value > 0.01


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--components", "0"], "a mixture has 1 component or more, not 0"),
        (["--components", "4..2"], "4..2 are an empty range"),
        (["--components", "1..900"], "900 components need 4 training images per component and"),
        (["--images", "60", "--components", "5"], "with 60 ask for 3 at most"),
        (["--by", "fdi"], "unknown score 'fdi': did you mean 'fid'"),
        (["--by", "fid"], "has no labels to learn features from"),
        (["--by", "fid", "--extractor", "features:Blocks", "--samples", "9"], "9 --samples leave"),
        (["--trials", "0"], "--trials must be a whole number"),
        (["--images", "1"], "--images must be a whole number, at least 2"),
        (["--arm", "mpl"], "did you mean 'mlp'"),
        (["--device", "cuda:77"], "--device cuda:77 cannot be used here"),
    ],
)
def test_what_cannot_be_had_is_refused_and_nothing_written(say, run_dir, words, said):
    status, out, err = say(run_dir, *words)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 2
    assert not (run_dir / "mixtures").exists()


def test_a_search_that_is_not_finished_is_refused(say, run_dir):
    append(run_dir, SearchResumed("0.1.0", {"epochs": 6}))
    status, _, err = say(run_dir)
    assert status == 2
    assert "is not finished: `vaesearch resume" in err


def test_a_directory_without_a_search_or_in_use_is_refused(say, run_dir, tmp_path):
    assert "has no ledger" in say(tmp_path)[2]
    held = RunDir(run_dir)
    held.lock()
    assert "is in use by process" in say(run_dir)[2]
    held.unlock()


def test_a_checkpoint_that_is_gone_is_named(run_dir):
    shutil.rmtree(run_dir / "checkpoints" / ARM)
    with pytest.raises(CheckpointError, match=f"{ARM} has no checkpoint any more"):
        tune_mixtures(run_dir)
    notes = []
    tuned = tune_mixtures(run_dir, [1], arms="all", note=notes.append)
    assert [each.arm for each in tuned] == ["mlp"]
    assert notes == [f"Left out: {ARM} has no checkpoint any more."]


def test_damaged_files_are_named_and_kept(run_dir):
    (tuned,) = tune_mixtures(run_dir, [1])
    parameters = tuned.path.with_suffix(".npz")
    parameters.write_bytes(b"PK no zip")
    with pytest.raises(RunDirError, match=r"npz is damaged"):
        open_trained(run_dir)
    parameters.unlink()
    tuned.path.write_text('{"format": 1}')
    with pytest.raises(RunDirError, match=r"json is damaged \(KeyError: 'fits'\)"):
        tune_mixtures(run_dir, [1])
    assert tuned.path.read_text() == '{"format": 1}'


def test_where_every_fit_fails_the_reason_is_said(run_dir, monkeypatch):
    def singular(*_):
        raise ValueError("singular")

    monkeypatch.setattr(fitting, "fit_codes", singular)
    model = (run_dir / "arms" / ARM / "model.pt").read_bytes()
    with pytest.raises(VaesearchError, match=f"{ARM}: no mixture could be fitted .singular"):
        tune_mixtures(run_dir, [1, 2])
    assert (run_dir / "arms" / ARM / "model.pt").read_bytes() == model


def test_a_table_and_json(say, run_dir):
    status, out, err = say(run_dir, "--components", "1,2,3")
    assert (status, err) == (0, "")
    lines = [line.strip() for line in out.splitlines()]
    assert lines[0].startswith(f"{ARM}, epoch 2: mixtures fitted to")
    rows = [line.split() for line in lines if line[:1].isdigit() and "±" in line]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert sum(row[1] == "*" for row in rows) == 1
    assert lines[-1].startswith("Kept: '")
    status, out, err = say(run_dir, "--components", "1,2,3", "--json")
    (arm,) = json.loads(out)["arms"]
    assert (arm["arm"], arm["made"], arm["among"]) == (ARM, 0, [1, 2, 3])
    assert arm["fits"][0]["figures"]["loglik"]["unit"] == "nats per image"


def test_without_a_range_there_are_as_many_as_the_images_bear(run_dir):
    (tuned,) = tune_mixtures(run_dir, trials=4)
    assert tuned.chosen.among[0] == 1
    images = read_state(RunDir(run_dir)).data["counts"]["train"]
    assert tuned.chosen.among[-1] == images // (4 * 4)  # 4 for each of 4 latents
    with pytest.raises(InputError, match="takes whole numbers"):
        tune_mixtures(run_dir, [])
