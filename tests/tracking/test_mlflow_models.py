"""Models and registered models in a database of this process."""

import numpy as np
import pytest

from vaesearch.records import TrialSettings
from vaesearch.tracking import uploader

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader"),
    pytest.mark.filterwarnings("ignore:.*AnyType"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.timeout(180),
]
IMAGE = (1, 8, 8)


@pytest.fixture
def vae(monkeypatch):
    """What ``load_model`` returns for every file."""
    import vaesearch.pull
    from vaesearch.models.vae import build_model

    settings = TrialSettings(encoder="mlp", decoder="mlp", latent_dim=2, width=0.05)
    network = build_model(settings, IMAGE).eval()
    monkeypatch.setattr(vaesearch.pull, "load_model", lambda path: network)
    return network


def drain(search, uri, register=None):
    for folder in search.run_dir.arms.iterdir():
        (folder / "model.pt").touch()
    return uploader.follow(search.run_dir, uri, "vaesearch", lambda _: True, register)


def versions(there, name):
    found = there.client.search_model_versions(f"name = '{name}'")
    return sorted(found, key=lambda version: int(version.version))


def test_a_model_maps_images_to_reconstructions_and_has_its_figures(search, uri, shown, vae):
    import mlflow
    import torch

    assert drain(search.example(), uri)
    there = shown(uri)
    run = there.arms["deconv"]
    mlflow.set_tracking_uri(uri)
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    images = np.random.default_rng(0).random((3, *IMAGE), dtype=np.float32)
    with torch.no_grad():
        expected = vae(torch.from_numpy(images)).numpy()
    np.testing.assert_array_equal(loaded.predict(images), expected)
    assert loaded.metadata.signature.inputs.inputs[0].shape == (-1, *IMAGE)
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        loaded.predict(images[:, :, 1:])
    [output] = run.outputs.model_outputs
    figures = {m.key: m.value for m in there.client.get_logged_model(output.model_id).metrics}
    assert figures.items() >= {"best/reward": -5.0, "test/bpd": 4.5}.items()


def test_the_best_model_is_a_version_once_and_a_better_one_is_the_next(
    search, other_search, uri, shown, vae
):
    search.example()
    assert drain(search, uri)
    assert shown(uri).client.search_registered_models() == []
    for _ in range(2):
        assert drain(search, uri, "digits-vae")
        search.run_dir.tracking_cursor.unlink()
    there = shown(uri)
    [first] = versions(there, "digits-vae")
    assert first.tags["vaesearch.arm"] == "deconv"
    assert first.tags["test_bpd"] == "4.5"
    assert first.run_id == there.arms["deconv"].info.run_id
    assert there.client.get_model_version_by_alias("digits-vae", "best").version == first.version

    search.resume(register="digits-vae").pull("mlp", -1.0).finish("mlp")
    assert drain(search, uri)
    second = versions(there, "digits-vae")[1]
    assert second.tags["vaesearch.arm"] == "mlp"
    assert there.client.get_model_version_by_alias("digits-vae", "best").version == second.version

    other_search.start("mlp").pull("mlp", -2.0).draw("mlp").finish("mlp")
    assert drain(other_search, uri, "digits-vae")
    assert len(versions(there, "digits-vae")) == 3
    assert there.client.get_model_version_by_alias("digits-vae", "best").version == second.version


def test_a_registered_checkpoint_stays_when_the_search_goes_on(search, uri, shown, vae):
    search.start("mlp").pull("mlp", -2.0).draw("mlp").finish("mlp")
    assert drain(search, uri, "digits-vae")
    search.resume().pull("mlp", -1.0).finish("mlp")
    assert drain(search, uri, "digits-vae")
    first, second = versions(shown(uri), "digits-vae")
    assert first.source != second.source


def test_without_a_model_nothing_is_registered(search, uri, shown, vae, caplog):
    search.start("mlp").pull("mlp", -2.0).finish("mlp")
    assert uploader.follow(search.run_dir, uri, "vaesearch", lambda _: True, "digits-vae")
    assert "nothing is registered as digits-vae" in caplog.text
    assert shown(uri).client.search_registered_models() == []
