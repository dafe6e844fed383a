import errno
import os
import pkgutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.errors import CheckpointError, InputError, OutOfMemoryError, StorageError
from vaesearch.evaluation import validate
from vaesearch.models.vae import build_model
from vaesearch.pull import SAMPLES, SHOWN, Workbench, export_model, load_model
from vaesearch.records import AppraisalRequest, Arm, PullRequest, TrialSettings
from vaesearch.training import train_epoch

ARM = Arm(
    "conv+deconv",
    TrialSettings("deconv", encoder="conv", latent_dim=3, width=1 / 64, batch_size=8, alpha=0.5),
)
DENSE = Arm("mlp", replace(ARM.settings, decoder="mlp", encoder="mlp", width=1 / 32))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    sets = [rng.integers(0, 256, (n, 1, 8, 8), dtype=np.uint8) for n in (40, 20, 24)]
    for part in sets:
        part.flags.writeable = False  # as where they come from a file or shared memory
    return ImageData("noise", *sets, pixels="8bit", fingerprint="0")


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


@pytest.fixture
def bench(data, store):
    return Workbench(data, store, seed=0, reward="bpd")


def request_of(from_epoch=0, epochs=1, digest=None, arm=DENSE, **options):
    return PullRequest(0, arm, from_epoch, epochs, digest, **options)


def rewards(report):
    return [e.reward for e in report.epochs]


def saved_epochs(store, arm=DENSE):
    return sorted(int(p.name[6:11]) for p in (store.folder.path / arm.name).glob("*.pt"))


@pytest.mark.parametrize("arm", [ARM, DENSE], ids=lambda a: a.name)
@pytest.mark.parametrize("is_cached", [True, False])
def test_three_pulls_of_one_epoch_are_one_of_three(data, tmp_path, arm, is_cached):
    whole = Workbench(data, CheckpointStore(tmp_path / "1"), seed=0, reward="bpd")
    parts = Workbench(data, CheckpointStore(tmp_path / "2"), seed=0, reward="bpd")
    expected = whole.pull(request_of(epochs=3, arm=arm))
    digest, found = None, []
    for epoch in range(3):
        report = parts.pull(request_of(epoch, 1, digest, arm))
        digest = report.checkpoints[epoch + 1]
        found += report.epochs
        if not is_cached:
            parts._cache.clear()
    assert [e.reward for e in found] == rewards(expected)
    assert [e.metrics for e in found] == [e.metrics for e in expected.epochs]
    assert digest == expected.checkpoints[3]


def test_repeated_pull_is_the_same(bench):
    first = bench.pull(request_of(epochs=1))
    second = [bench.pull(request_of(1, 1, first.checkpoints[1])) for _ in range(2)]
    assert rewards(second[0]) == rewards(second[1])
    assert second[0].checkpoints == second[1].checkpoints


def test_a_warm_worker_goes_on_with_halved_batches_as_a_cold_one(bench, data, store):
    first = bench.pull(request_of())
    halved = Arm("mlp", replace(DENSE.settings, batch_size=4))
    asked = request_of(1, 2, first.checkpoints[1], halved)
    warm = bench.pull(asked)
    cold = Workbench(data, store, seed=0, reward="bpd").pull(asked)
    assert [e.metrics for e in warm.epochs] == [e.metrics for e in cold.epochs]
    assert warm.checkpoints == cold.checkpoints


@pytest.mark.parametrize("from_epoch", [0, 1])
@pytest.mark.parametrize("fails_in", [1, 2])
def test_memory_that_was_short_but_once_changes_nothing(
    bench, data, store, monkeypatch, from_epoch, fails_in
):
    """The second attempt starts from the checkpoint, and no other state is kept beside it."""
    first = bench.pull(request_of())
    bench.pull(request_of(arm=replace(DENSE, name="another")))
    asked = request_of(from_epoch, 2, first.checkpoints[1] if from_epoch else None)
    expected = Workbench(data, store, seed=0, reward="bpd").pull(asked)
    epochs, kept = [], []

    def crowded(state, *args, **options):
        epochs.append(state.epoch)
        kept.append(len(bench._cache))
        loss = train_epoch(state, *args, **options)
        if len(epochs) == fails_in:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss

    monkeypatch.setattr("vaesearch.pull.train_epoch", crowded)
    report = bench.pull(asked)
    assert [e.metrics for e in report.epochs] == [e.metrics for e in expected.epochs]
    assert report.checkpoints == expected.checkpoints
    assert epochs == [*range(from_epoch, from_epoch + fails_in), from_epoch, from_epoch + 1]
    assert kept[fails_in:] == [0, 0]


def test_memory_that_validation_lacks_is_told_from_what_training_lacks(bench, monkeypatch):
    def lacks(*args, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")

    with monkeypatch.context() as patch:
        patch.setattr("vaesearch.pull.train_epoch", lacks)
        with pytest.raises(OutOfMemoryError, match=r"^CUDA out of memory. Tried"):
            bench.pull(request_of())
    monkeypatch.setattr("vaesearch.pull.validate", lacks)
    with pytest.raises(OutOfMemoryError, match=r"^validation: CUDA out of .* 2 GiB$"):
        bench.pull(request_of())


def test_report_has_the_figures_of_validation(bench, data, store):
    report = bench.pull(request_of(epochs=2))
    assert [e.epoch for e in report.epochs] == [1, 2]
    last = report.epochs[-1]
    assert set(last.metrics) == {"bpd", "elbo", "kl", "reconstruction", "mse", "train_loss"}
    assert last.reward == -last.metrics["bpd"]
    assert last.seconds > 0
    restored = bench._restore(DENSE, 2, report.checkpoints[2])
    figures = validate(restored.model, torch.tensor(data.valid), has_mass=True)
    assert figures == {k: v for k, v in last.metrics.items() if k != "train_loss"}


@pytest.mark.parametrize("reward", ["elbo", "reconstruction"])
def test_reward_is_the_figure_that_was_asked_for(data, store, reward):
    report = Workbench(data, store, seed=0, reward=reward).pull(request_of())
    assert rewards(report) == [report.epochs[0].metrics[reward]]


def test_consistency_is_reported_where_it_is_asked_for_and_changes_nothing_else(data, tmp_path):
    plain = Workbench(data, CheckpointStore(tmp_path / "1"), seed=0, reward="bpd")
    asked = Workbench(
        data, CheckpointStore(tmp_path / "2"), seed=0, reward="bpd", consistency=True
    )
    before, after = plain.pull(request_of(epochs=2)), asked.pull(request_of(epochs=2))
    for one, other in zip(before.epochs, after.epochs, strict=True):
        assert other.metrics.pop("consistency") > 0
        assert other.metrics == one.metrics
    assert before.checkpoints == after.checkpoints


def test_a_consistency_without_a_number_is_left_out_and_the_arm_goes_on(
    data, tmp_path, monkeypatch
):
    figures = {"bpd": 1.0, "consistency": float("inf")}
    monkeypatch.setattr("vaesearch.pull.validate", lambda *_, **__: dict(figures))
    bench = Workbench(data, CheckpointStore(tmp_path), seed=0, reward="bpd", consistency=True)
    (report,) = bench.pull(request_of()).epochs
    assert set(report.metrics) == {"bpd", "train_loss"}


def scripted(bench, monkeypatch, script):
    """Replace validation by rewards that are given; training goes on as ever."""
    values = iter(script)
    monkeypatch.setattr(
        "vaesearch.pull.validate", lambda *_, **__: {"bpd": -next(values), "elbo": 0.0}
    )
    return bench


@pytest.mark.parametrize(
    ("best_reward", "script", "kept"),
    [
        (None, [1.0, 3.0, 2.0, 2.5], [1, 2, 4]),
        (2.7, [1.0, 3.0, 2.0, 2.5], [2, 4]),
        (5.0, [1.0, 3.0, 2.0, 2.5], [4]),
        (None, [1.0, 2.0, 3.0, 4.0], [1, 2, 3, 4]),
    ],
)
def test_best_epoch_inside_a_pull_is_saved(bench, store, monkeypatch, best_reward, script, kept):
    scripted(bench, monkeypatch, script)
    report = bench.pull(request_of(epochs=4, best_reward=best_reward))
    assert sorted(report.checkpoints) == saved_epochs(store) == kept
    for epoch, digest in report.checkpoints.items():
        assert store.load(DENSE.name, epoch, digest)["epoch"] == epoch


def test_time_that_is_up_ends_the_pull_with_what_is_done(bench, store, monkeypatch):
    report = bench.pull(request_of(epochs=3, seconds_left=-1.0))
    assert report.epochs == ()
    assert report.checkpoints == {}
    assert report.diverged is None
    calls = []

    def two_epochs(state, *args, deadline):
        calls.append(deadline)
        return train_epoch(state, *args) if len(calls) < 3 else None

    monkeypatch.setattr("vaesearch.pull.train_epoch", two_epochs)
    scripted(bench, monkeypatch, [2.0, 1.0])
    report = bench.pull(request_of(epochs=5, seconds_left=60.0))
    assert rewards(report) == [2.0, 1.0]
    assert sorted(report.checkpoints) == saved_epochs(store) == [1, 2]
    assert None not in calls


def test_unfinished_epoch_does_not_stay_in_the_cache(bench):
    first = bench.pull(request_of())
    again = request_of(1, 1, first.checkpoints[1])
    assert bench.pull(replace(again, seconds_left=-1.0)).epochs == ()
    whole = bench.pull(request_of(epochs=2))
    assert rewards(bench.pull(again)) == rewards(whole)[1:]


def test_failed_pull_leaves_no_dirty_state(bench, monkeypatch):
    first = bench.pull(request_of())
    again = request_of(1, 1, first.checkpoints[1])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            bench.pull(again)
    assert rewards(bench.pull(again)) == rewards(bench.pull(request_of(epochs=2)))[1:]


def test_divergence_ends_the_arm_and_keeps_what_was_good(bench, store, monkeypatch):
    scripted(bench, monkeypatch, [1.0, 2.0, float("nan")])
    report = bench.pull(request_of(epochs=5))
    assert rewards(report) == [1.0, 2.0]
    assert report.diverged == "validation bpd became nan in epoch 3"
    assert saved_epochs(store) == [1, 2]
    assert not bench._cache


def test_divergence_in_training_is_reported(bench):
    wild = Arm("mlp", replace(DENSE.settings, learning_rate=1e30))
    report = bench.pull(request_of(epochs=5, arm=wild))
    assert "became" in report.diverged
    assert len(report.epochs) < 5


@pytest.mark.parametrize("damage", ["missing", "truncated", "digest"])
def test_checkpoint_that_cannot_be_trusted_is_refused(bench, store, damage):
    digest = bench.pull(request_of(epochs=2)).checkpoints[1]
    bench._cache.clear()
    path = Path(store.address(DENSE.name, 1, digest))
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-10])
    else:
        digest = "0" * 64
    with pytest.raises(CheckpointError, match=r"epoch-00001-"):
        bench.pull(request_of(1, 1, digest))


def test_checkpoint_of_another_architecture_is_refused(bench):
    digest = bench.pull(request_of()).checkpoints[1]
    wider = Arm("mlp", replace(DENSE.settings, latent_dim=5))
    bench._cache.clear()
    with pytest.raises(CheckpointError, match="another architecture"):
        bench.pull(request_of(1, 1, digest, wider))


def test_arm_that_does_not_fit_the_images_is_refused(bench):
    with pytest.raises(InputError, match="--image-size 16"):
        bench.pull(request_of(arm=Arm("a", replace(DENSE.settings, decoder="deconv-deep"))))


@pytest.mark.parametrize(("cache_bytes", "count"), [(2**30, 3), (0, 1)])
def test_cache_forgets_the_least_recently_used(data, store, cache_bytes, count):
    bench = Workbench(data, store, seed=0, reward="bpd", cache_bytes=cache_bytes)
    reports = [bench.pull(request_of(arm=replace(DENSE, name=n))) for n in "abc"]
    assert [key[0] for key in bench._cache] == list("abc")[-count:]
    following = bench.pull(request_of(1, 1, reports[0].checkpoints[1], replace(DENSE, name="a")))
    assert [e.epoch for e in following.epochs] == [2]
    assert [key[:2] for key in bench._cache][-1] == ("a", 2)
    assert sum(key[0] == "a" for key in bench._cache) == 1


def test_threads_are_put_back_after_an_error(bench):
    before = torch.get_num_threads()
    with pytest.raises(StorageError):
        bench.pull(request_of(1, 1, "0" * 64))
    assert torch.get_num_threads() == before


def test_appraisal_is_the_same_every_time(bench, data):
    digest = bench.pull(request_of(arm=ARM)).checkpoints[1]
    asked = AppraisalRequest(ARM, 1, digest)
    first, again = bench.appraise(asked), bench.appraise(asked)
    assert first.metrics == again.metrics
    assert set(first.metrics) == {
        "bpd", "elbo", "kl", "reconstruction", "mse", "consistency", "bpd_gmm", "elbo_gmm",
        "aggregate_kl", "aggregate_kl_error",
    }  # fmt: skip
    assert all(np.isfinite(list(first.metrics.values())))
    shapes = {name: picture.shape for name, picture in first.pictures.items()}
    shown, drawn = (min(SHOWN, 24), 1, 8, 8), (SAMPLES, 1, 8, 8)
    assert shapes == {
        "originals": shown, "reconstructions": shown, "samples": drawn, "prior_samples": drawn
    }  # fmt: skip
    for name, picture in first.pictures.items():
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, again.pictures[name])
    np.testing.assert_array_equal(first.pictures["originals"], data.test[:SHOWN])


@pytest.mark.parametrize(
    "slow", ["evaluation.aggregate.fit_codes", "pull.CheckpointStore.save", "pull.restore"]
)
def test_what_takes_long_without_a_batch_shows_that_it_goes_on(data, store, monkeypatch, slow):
    stepped = threading.Event()
    bench = Workbench(data, store, seed=0, reward="bpd", on_step=stepped.set)
    digest = bench.pull(request_of()).checkpoints[1]
    waited = []
    module, _, name = f"vaesearch.{slow}".rpartition(".")
    plain = pkgutil.resolve_name(f"{module}.{name}")

    def patient(*args):
        stepped.clear()
        waited.append(stepped.wait(30.0))
        return plain(*args)

    monkeypatch.setattr(f"{module}.{name}", patient)
    bench.forget()
    bench.pull(request_of(1, 1, digest))
    bench.appraise(AppraisalRequest(DENSE, 1, digest))
    assert waited
    assert all(waited)


def test_exported_model_reconstructs_as_the_trained_one(bench, data, store, tmp_path):
    digest = bench.pull(request_of(epochs=2, arm=ARM)).checkpoints[2]
    asked = AppraisalRequest(ARM, 2, digest)
    appraised = bench.appraise(asked)
    export_model(store, asked, appraised, data.shape, tmp_path / "model.pt")
    model = load_model(tmp_path / "model.pt")
    assert not model.training
    with torch.no_grad():
        made = model(torch.tensor(data.test[:SHOWN]) / 255).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(made, appraised.pictures["reconstructions"])
    drawn = model.sample(5, torch.Generator().manual_seed(0), from_aggregate=True)
    z = model.aggregate.sample(5, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, model.decode(z).mean)
    np.testing.assert_array_equal(model.aggregate.means, appraised.aggregate["means"])


def test_mixture_is_the_prior_of_a_saved_model_that_asked_for_it(bench, data, store, tmp_path):
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    densities = {}
    for prior in ("standard", "gmm:2"):
        arm = Arm(prior.partition(":")[0], replace(DENSE.settings, prior=prior))
        asked = AppraisalRequest(arm, 1, bench.pull(request_of(arm=arm)).checkpoints[1])
        path = tmp_path / f"{arm.name}.pt"
        export_model(store, asked, bench.appraise(asked), data.shape, path)
        model = load_model(path)
        densities[prior] = model.latent_prior().log_prob(z)
        assert torch.equal(model.aggregate.log_prob(z), densities[prior]) is (prior == "gmm:2")
    standard = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    torch.testing.assert_close(densities["standard"], standard)


def test_model_without_a_mixture_refuses_to_sample_from_it(data):
    model = build_model(DENSE.settings, data.shape)
    with pytest.raises(InputError, match="no mixture to sample from"):
        model.sample(2, torch.Generator(), from_aggregate=True)


@pytest.mark.parametrize("content", [None, b"", b"hello", [1, 2], {"settings": {"x": 1}}, Arm])
def test_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match="is not a model of vaesearch"):
        load_model(path)
