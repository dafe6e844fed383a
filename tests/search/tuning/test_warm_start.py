"""What comes before the sampler's own proposals: what a person wants, and what is known."""

import pytest
from landscape import SPACE, config_of

from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, ArmFailed, PullFinished, SearchStarted
from vaesearch.records import TrialSettings
from vaesearch.search.ledger import Ledger
from vaesearch.search.segments import SegmentWriter
from vaesearch.search.tuning.enqueued import as_text, enqueued
from vaesearch.search.tuning.known import known_trials, point_of
from vaesearch.space import Choice, Int, Parameter, Space
from vaesearch.storage import folder_of

CONFIG = config_of(learning_rate=1e-3, latent_dim=16, batch_size=32)


def test_points_are_read_in_order_and_filled_up_with_defaults():
    points, notes = enqueued(["latent_dim=8", "defaults", "latent_dim=8"], CONFIG, SPACE)
    assert points == [
        {"learning_rate": 1e-3, "latent_dim": 8, "batch_size": 32},
        {"learning_rate": 1e-3, "latent_dim": 16, "batch_size": 32},
    ]
    assert notes == ["--enqueue latent_dim=8 is the same as one before."]


def test_points_survive_being_written():
    points, _ = enqueued(["learning_rate=0.00123456789"], CONFIG, SPACE)
    assert enqueued(list(map(as_text, points)), CONFIG, SPACE) == (points, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latent_dim=1000", r"latent_dim must be in 2..64:log, not '1000'"),
        ("latentdim=8", "did you mean 'latent_dim'"),
        ("latent_dim", "write NAME=VALUE"),
        ("{latent_dim: 8}", "write NAME=VALUE"),
        ("latent_dim=8,latent_dim=9", "latent_dim is given twice"),
        ("", "--enqueue is empty"),
        ("none.yaml", "cannot read none.yaml"),
    ],
)
def test_what_is_no_point_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        enqueued([text], CONFIG, SPACE)


PLANAR = Space(
    (
        Parameter("posterior", Choice(("gaussian", "planar"))),
        Parameter("posterior.planar.steps", Int(2, 8), when={"posterior": ("planar",)}),
    )
)


@pytest.mark.parametrize("spec", ["planar:4", "planar:steps=4"])
def test_arguments_of_a_file_may_be_written_in_either_way(tmp_path, spec):
    path = tmp_path / "best.yaml"
    path.write_text(f"posterior: {spec}\n")
    points, _ = enqueued([str(path)], CONFIG, PLANAR)
    assert points == [{"posterior": "planar", "posterior.planar.steps": 4}]


def test_file_gives_what_is_searched_and_the_rest_is_said(tmp_path):
    path = tmp_path / "best.yaml"
    path.write_text("latent-dim: 8\nbatch_size: 64\nbeta: 1.0\nepochs: 7\nseed: 3\n")
    points, _ = enqueued([str(path)], CONFIG, SPACE)
    assert points == [{"learning_rate": 1e-3, "latent_dim": 8, "batch_size": 64}]
    path.write_text("latent_dim: 8\nbeta: 4.0\n")
    points, notes = enqueued([str(path)], CONFIG, SPACE)
    assert points[0]["latent_dim"] == 8
    assert notes == [f"--enqueue {path}: beta is 4.0 there, is not searched, and stays 1.0."]
    path.write_text("epochs: 8\n")
    with pytest.raises(InputError, match="has none of batch_size, latent_dim, learning_rate"):
        enqueued([str(path)], CONFIG, SPACE)


def test_point_of_settings_finds_arguments_of_members():
    space = Space(
        (
            Parameter("posterior", Choice(("gaussian", "planar"))),
            Parameter("posterior.planar.steps", Int(2, 8), when={"posterior": ("planar",)}),
        )
    )
    planar = vars(TrialSettings(decoder="mlp", posterior="planar:steps=4"))
    assert point_of(planar, space) == {"posterior": "planar", "posterior.planar.steps": 4}
    assert point_of(vars(TrialSettings(decoder="mlp")), space) == {"posterior": "gaussian"}


def report(epoch, reward):
    return {"epoch": epoch, "reward": reward, "seconds": 1.0, "metrics": {"bpd": -reward}}


@pytest.fixture
def old(tmp_path):
    """A run of five arms: fitting, outside, of another option, failed, of another decoder."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    config = CONFIG.to_dict()
    ledger.append(SearchStarted("id", "0", config, {"fingerprint": "f", "name": "digits"}))
    base = vars(CONFIG.settings("mlp", "mlp"))
    arms = {
        "fits": base | {"latent_dim": 4},
        "outside": base | {"latent_dim": 100},
        "other": base | {"beta": 2.0},
        "failed": base | {"latent_dim": 5},
        "deconv": base | {"decoder": "deconv"},
    }
    for number, (name, settings) in enumerate(arms.items()):
        ledger.append(ArmAdded(name, settings, 10))
        reports = [report(1, -5.0), report(2, -4.0), report(3, -4.5)]
        ledger.append(PullFinished(number, name, reports, {}, "w"))
    ledger.append(ArmFailed("failed", "loss is NaN"))
    ledger.close()
    return tmp_path


def test_trials_of_an_earlier_run_that_fit_are_known_by_their_best_epoch(old):
    known, note = known_trials(old, CONFIG, SPACE, "f")
    assert [(t.trial, t.group, t.figures) for t in known] == [(0, "mlp", {"bpd": 4.0})]
    assert known[0].values == {"learning_rate": 1e-3, "latent_dim": 4, "batch_size": 32}
    assert "1 trials are known" in note
    for why in ("another beta", "another encoder or decoder", "outside of the space", "failed"):
        assert why in note


def test_other_images_or_another_reward_are_refused(old):
    with pytest.raises(InputError, match=r"other images \(digits\).*--enqueue .*best.yaml"):
        known_trials(old, CONFIG, SPACE, "g")
    with pytest.raises(InputError, match="compared by bpd, not elbo"):
        known_trials(old, config_of(objective=("elbo",)), SPACE, "f")
    with pytest.raises(InputError, match="not a run directory"):
        known_trials(old / "none", CONFIG, SPACE, "f")


def test_an_earlier_run_may_be_at_a_url(old, bucket, monkeypatch, tmp_path):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "kept"))
    url = f"{bucket}/runs/first"
    SegmentWriter(folder_of(url), "token", 0).append((old / "ledger.jsonl").read_bytes())
    known, note = known_trials(url, CONFIG, SPACE, "f")
    assert [trial.values["latent_dim"] for trial in known] == [4]
    assert note.startswith(f"1 trials are known from {url}; ")
    with pytest.raises(InputError, match=rf"--from {url}: .*--enqueue {url}/best.yaml"):
        known_trials(f"{url}/", CONFIG, SPACE, "g")
    with pytest.raises(InputError, match=f"cannot read {url}/best.yaml: "):
        enqueued([f"{url}/best.yaml"], CONFIG, SPACE)
    folder_of(url).write("best.yaml", b"latent_dim: 8\n")
    [point], _ = enqueued([f"{url}/best.yaml"], CONFIG, SPACE)
    assert point["latent_dim"] == 8
