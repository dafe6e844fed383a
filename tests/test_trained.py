import json
import shutil

import numpy as np
import pytest
import torch
from searched import add_bad_arms, append, edit

from vaesearch.errors import CheckpointError, DataError, InputError, RunDirError
from vaesearch.events import SearchResumed
from vaesearch.search.run_dir import RunDir
from vaesearch.trained import open_trained, read_state


def results(run_dir):
    return json.loads((run_dir / "results.json").read_text())


def test_the_best_checkpoint_of_the_best_arm_is_opened(run_dir):
    trained = open_trained(run_dir)
    best = results(run_dir)["arms"][0]
    assert (trained.arm.name, trained.epoch) == (best["name"], best["best_epoch"])
    assert not trained.model.training
    assert trained.data.shape == (1, 16, 16)
    saved = torch.load(run_dir / "arms" / best["name"] / "model.pt", weights_only=True)["weights"]
    weights = trained.model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in saved.items())


@pytest.mark.parametrize("epoch", ["last", 2])
def test_an_epoch_is_named_or_numbered(run_dir, epoch):
    assert open_trained(run_dir, "mlp", epoch).epoch == 2


def test_a_fitted_prior_is_fitted(run_dir):
    edit(run_dir / "ledger.jsonl", '"prior":"standard"', '"prior":"gmm:3"')
    assert open_trained(run_dir).model.prior.fitted is not None


@pytest.mark.parametrize(
    ("arm", "epoch", "device", "said"),
    [
        ("mpl", "best", "cpu", "did you mean 'mlp'"),
        ("mlp", "bset", "cpu", "did you mean 'best'"),
        ("mlp", 9, "cpu", "mlp has no checkpoint of epoch 9; kept are best and last: 2"),
        ("mlp", "best", "meta", "unknown device 'meta'"),
        ("mlp", "best", "nonsense", "--device nonsense cannot be used here"),
        ("mlp", "best", "cuda:77", "--device cuda:77 cannot be used here"),
    ],
)
def test_what_is_not_there_is_refused(run_dir, arm, epoch, device, said):
    with pytest.raises(InputError, match=said):
        open_trained(run_dir, arm, epoch, device=device)


def test_an_arm_without_a_checkpoint_says_why(run_dir):
    add_bad_arms(run_dir)
    with pytest.raises(CheckpointError, match="late has no checkpoint: not trained yet"):
        open_trained(run_dir, "late")


def test_a_directory_that_is_none_of_a_search(tmp_path, run_dir):
    with pytest.raises(RunDirError, match="is not the directory of a search"):
        open_trained(tmp_path)
    ledger = run_dir / "ledger.jsonl"
    ledger.write_text(ledger.read_text().partition("\n")[0] + "\n")
    with pytest.raises(RunDirError, match="holds no search yet"):
        open_trained(run_dir)
    (tmp_path / "config.yaml").write_text("shared_encoder: true\n")
    with pytest.raises(RunDirError, match=r"load_model and measure it with vaesearch\.measure"):
        open_trained(tmp_path)


def test_a_ledger_of_another_kind_is_damaged(run_dir):
    edit(run_dir / "ledger.jsonl", '"latent_dim":4', '"latent_size":4')
    with pytest.raises(RunDirError, match=r"ledger\.jsonl is damaged: .*latent_size"):
        read_state(RunDir(run_dir))


def checkpoint(run_dir, arm="mlp"):
    [path] = (run_dir / "checkpoints" / arm).iterdir()
    return path


def test_a_damaged_or_missing_checkpoint_is_refused(run_dir):
    path = checkpoint(run_dir)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is damaged: its digest is not the ledger's"):
        open_trained(run_dir, "mlp")
    path.unlink()
    with pytest.raises(CheckpointError, match=r"cannot read .*No such file"):
        open_trained(run_dir, "mlp")


def test_a_checkpoint_of_another_configuration_is_refused(run_dir):
    shutil.copy(checkpoint(run_dir, "mlp-wide"), checkpoint(run_dir))
    with pytest.raises(CheckpointError, match="its digest is not the ledger's"):
        open_trained(run_dir, "mlp")
    edit(run_dir / "ledger.jsonl", '"latent_dim":4', '"latent_dim":5')
    with pytest.raises(
        CheckpointError, match=r"is of another configuration: .* mlp-wide"
    ) as error:
        open_trained(run_dir, "mlp-wide")
    assert len(str(error.value).splitlines()) == 1


def test_images_that_changed_or_are_gone_are_refused(run_dir, tmp_path):
    state = read_state(RunDir(run_dir))
    blobs = tmp_path / "moved" / "blobs.npz"
    blobs.parent.mkdir()
    shutil.copy(state.config["dataset"], blobs)
    gone = str(tmp_path / "gone" / "blobs.npz")
    append(run_dir, SearchResumed("0.1.0", {"dataset": gone}))
    with pytest.raises(
        DataError, match=r"no file .*gone/blobs.npz: give the folder .* --data-dir"
    ):
        open_trained(run_dir)
    assert open_trained(run_dir, data_dir=str(blobs.parent)).data.name == "blobs"
    with np.load(blobs) as arrays:
        np.savez(blobs, x_train=arrays["x_train"][::-1], x_test=arrays["x_test"])
    with pytest.raises(RunDirError, match="have changed since the search"):
        open_trained(run_dir, data_dir=str(blobs.parent))
