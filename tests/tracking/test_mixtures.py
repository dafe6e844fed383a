"""Mixtures of a run directory, as MLflow shows them: a run for each, below that of its arm."""

import numpy as np
import pytest

from vaesearch.models.vae import build_model
from vaesearch.pull import save_model
from vaesearch.records import Estimate, TrialSettings
from vaesearch.search.mixtures import Basis, Chosen, Fit, merge_fits
from vaesearch.tracking import core
from vaesearch.tracking.core import send_evaluations, sync
from vaesearch.tracking.mixtures import read_updates

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.timeout(180),
]
BASIS = Basis("abc", "def", 7, 100, 60, "0.1.0")
NOW = 1_700_000_100.0


def fit(components, loglik=-9.5, time=NOW, **more):
    figures = {"loglik": Estimate(loglik, 0.5, 60), "bic": Estimate(300.0, None, 100)}
    return Fit(components, BASIS, figures, seconds=2.0, time=time, **more)


def keep(run_dir, *fits, arm="mlp", epoch=3, chosen=None):
    pick = chosen and Chosen(chosen, BASIS, "loglik", tuple(f.components for f in fits))
    merge_fits(run_dir, arm, epoch, fits, pick)
    return run_dir.mixture(arm, epoch)


def points(update):
    return {p.key: p.value for p in update.points}


def test_each_number_of_components_is_a_run_and_the_arm_shows_the_chosen_one(search):
    failed = Fit(8, BASIS, failed="singular", seconds=1.0, time=NOW)
    arm, *below = read_updates(keep(search.run_dir, fit(4), fit(2), failed, chosen=4))
    assert (arm.arm, arm.components, arm.status) == ("mlp", None, None)
    assert points(arm)["mixture/components"] == 4
    assert points(arm)["mixture/loglik"] == -9.5
    assert [(u.arm, u.components, u.params) for u in below] == [
        ("mlp", m, {"components": str(m)}) for m in (2, 4, 8)
    ]
    assert points(below[1]) == {"loglik": -9.5, "loglik_error": 0.5, "bic": 300.0, "seconds": 2.0}
    assert {p.step for p in below[1].points} == {3}
    assert [u.tags["vaesearch.chosen"] for u in below] == ["no", "yes", "no"]
    assert [u.status for u in below] == ["FINISHED", "FINISHED", "FAILED"]
    assert below[2].tags["vaesearch.cause"] == "singular"
    assert (below[0].start_ms, below[0].end_ms) == (1_700_000_098_000, 1_700_000_100_000)


def test_a_study_under_way_shows_its_fits_and_no_choice(search):
    (below,) = read_updates(keep(search.run_dir, fit(4)))
    assert below.components == 4
    assert below.tags["vaesearch.chosen"] == "no"


def test_of_two_fits_of_a_number_the_later_is_shown(search):
    other = Fit(
        4, Basis("abc", "def", 8, 100, 60, "0.1.0"), {"loglik": Estimate(-1.0)}, time=NOW + 5
    )
    (below,) = read_updates(keep(search.run_dir, other, fit(4)))
    assert points(below)["loglik"] == -1.0


@pytest.mark.slow
def test_they_are_sent_once_and_what_is_new_is_added(search, uri, shown, monkeypatch):
    search.example()
    keep(search.run_dir, fit(2), fit(4), chosen=4)
    sync(search.run_dir, None, "vaesearch")
    before = shown(uri)
    assert set(before.mixtures) == {("mlp", 2), ("mlp", 4)}
    run = before.mixtures["mlp", 4]
    assert run.data.tags["mlflow.parentRunId"] == before.arms["mlp"].info.run_id
    assert before.arms["mlp"].data.tags["mlflow.parentRunId"] == before.parent.info.run_id
    assert run.info.run_name == "mlp gmm:4"
    assert run.data.params == {"components": "4"}
    assert run.data.metrics["loglik"] == -9.5
    assert run.info.status == "FINISHED"
    assert before.history("mlp", "mixture/components")[0][:2] == (3, 4.0)
    assert before.files("mlp", "mixtures") == ["mixtures/mlp-epoch-00003.json"]
    with monkeypatch.context() as patch:
        patch.setattr(core, "_drain", lambda *_: pytest.fail("there was nothing to send"))
        send_evaluations(search.run_dir, None, "vaesearch")
    keep(search.run_dir, fit(8, -8.0), chosen=8)
    send_evaluations(search.run_dir, None, "vaesearch")
    after = shown(uri)
    assert set(after.mixtures) == {("mlp", 2), ("mlp", 4), ("mlp", 8)}
    assert after.mixtures["mlp", 4].info.run_id == run.info.run_id
    assert after.mixtures["mlp", 4].data.tags["vaesearch.chosen"] == "no"
    assert after.mixtures["mlp", 8].data.tags["vaesearch.chosen"] == "yes"
    search.run_dir.tracking_cursor.unlink()  # as on another machine
    sync(search.run_dir, None, "vaesearch")
    assert set(shown(uri).mixtures) == set(after.mixtures)
    assert len(shown(uri).runs) == len(after.runs)


@pytest.mark.slow
def test_after_the_end_the_new_model_replaces_the_old_one(search, uri, shown):
    search.example()
    settings, path = TrialSettings("mlp", latent_dim=2), search.run_dir.arm("mlp") / "model.pt"
    weights = build_model(TrialSettings("mlp", latent_dim=2), (1, 16, 16)).state_dict()

    def save(components):
        aggregate = {
            "weights": np.full(components, 1 / components),
            "means": np.zeros((components, 2)),
            "covariances": np.stack([np.eye(2)] * components),
        }
        save_model(path, settings, (1, 16, 16), 3, weights, aggregate)

    save(1)
    sync(search.run_dir, None, "vaesearch")
    (search.run_dir.arm("mlp") / "samples.png").write_bytes(b"new")
    save(2)
    keep(search.run_dir, fit(2), chosen=2)
    send_evaluations(search.run_dir, None, "vaesearch")
    there = shown(uri)
    assert "images/samples.png" in there.files("mlp", "images")
    import mlflow.pytorch

    run_id, before = there.arms["mlp"].info.run_id, mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        model = mlflow.pytorch.load_model(f"runs:/{run_id}/model")
    finally:
        mlflow.set_tracking_uri(before)
    assert len(model.aggregate.means) == 2


def test_a_damaged_file_and_an_unknown_arm_are_left_out(search, uri, shown):
    search.example()
    keep(search.run_dir, fit(2), arm="nobody")
    keep(search.run_dir, fit(2)).write_text("{")
    sync(search.run_dir, None, "vaesearch")
    assert shown(uri).mixtures == {}
    assert "it is damaged" in search.run_dir.tracking_log.read_text()
