"""Models in MLflow: what a run made of them, and what is registered. See ``mlflow_store``."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.entities import LoggedModelOutput, Metric
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from vaesearch.tracking.mlflow_store import MlflowStore
from vaesearch.tracking.registering import ALIAS, CHECKPOINT, Candidate
from vaesearch.tracking.updates import Point

MODEL = "model"  # so that a model is loaded from runs:/RUN_ID/model
_WAIT = 60  # seconds for a version to become ready
_METRICS = 800  # a request may hold 1000


def log_model(
    store: MlflowStore,
    arm: str,
    network: Any,
    epoch: int,
    checkpoint: str,
    points: Sequence[Point] = (),
) -> str:
    """Make a ``torch.nn.Module`` the model of the run of ``arm``, as it was at ``epoch``.

    Args:
        store: where the search is.
        arm: whose model.
        network: maps images to reconstructions, float32 ``[B, C, H, W]`` in [0, 1]; its
            ``shape`` is ``(C, H, W)``.
        epoch: of the checkpoint.
        checkpoint: its digest. Each has a model of its own, so that a version that is registered
            never changes; ``runs:/RUN_ID/model`` is the latest.
        points: what was measured of it, to be shown on its page, too.

    Returns:
        The model's id.
    """
    import mlflow.pytorch  # pulls in torch, which an upload without models can do without

    run = store.client.get_run(store.run(arm))
    model = _find_or_create(store, run, checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, MODEL))
        mlflow.pytorch.save_model(
            network,
            path,
            mlflow_model=Model(model.artifact_location, run.info.run_id, model_id=model.model_id),
            signature=_signature(network),
            pip_requirements=["vaesearch"],  # inferring them is slow
            serialization_format="pickle",  # a traced graph could not sample or encode
        )
        store.client.log_model_artifacts(model.model_id, path)
    store.client.finalize_logged_model(model.model_id, "READY")
    outputs = run.outputs.model_outputs if run.outputs else []
    if model.model_id not in [output.model_id for output in outputs]:
        output = LoggedModelOutput(model.model_id, step=epoch)
        store.client.log_outputs(run.info.run_id, [output])
    _log_points(store, run.info.run_id, model.model_id, points)
    return str(model.model_id)


def register(store: MlflowStore, name: str, candidate: Candidate, model_id: str) -> str:
    """Make a model a version of the registered model ``name``; its version.

    A checkpoint that is a version already stays that one. The alias ``best`` goes to the version
    if it beats the one that has it.
    """
    client = store.client
    # A registry in a database looks its models up in the default store, whatever client asks.
    mlflow.set_tracking_uri(store.uri)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    run_id = store.run(candidate.arm)
    version = _version(store, name, candidate)
    if version is None:
        made = client.create_model_version(
            name,
            f"models:/{model_id}",
            run_id,
            candidate.tags,
            description=candidate.description,
            await_creation_for=_WAIT,
            model_id=model_id,
        )
        version = str(made.version)
    if candidate.beats(_tags_of_best(store, name)):
        client.set_registered_model_alias(name, ALIAS, version)
    return version


def _version(store: MlflowStore, name: str, candidate: Candidate) -> str | None:
    token = None
    while True:
        page = store.client.search_model_versions(f"name = '{name}'", page_token=token)
        for version in page:
            if candidate.is_version(version.tags):
                return str(version.version)
        token = page.token
        if not token:
            return None


def _tags_of_best(store: MlflowStore, name: str) -> dict[str, str] | None:
    aliases = store.client.get_registered_model(name).aliases
    if ALIAS not in aliases:
        return None
    return dict(store.client.get_model_version_by_alias(name, ALIAS).tags)


def _find_or_create(store: MlflowStore, run: Any, checkpoint: str) -> Any:
    wanted = f"name = '{MODEL}' and tags.`{CHECKPOINT}` = '{checkpoint}'"
    token = None
    while True:
        page = store.client.search_logged_models([store.experiment], wanted, page_token=token)
        # Not every store can filter by run.
        for model in page:
            if model.source_run_id == run.info.run_id:
                return model
        token = page.token
        if not token:
            return store.client.create_logged_model(
                store.experiment,
                MODEL,
                run.info.run_id,
                tags={CHECKPOINT: checkpoint},
                params=run.data.params,
            )


def _signature(network: Any) -> ModelSignature | None:
    """Images in, reconstructions out; None for a network that is not one of ours."""
    shape = getattr(network, "shape", None)
    if shape is None:
        return None
    images = Schema([TensorSpec(np.dtype(np.float32), (-1, *shape))])
    return ModelSignature(inputs=images, outputs=images)


def _log_points(store: MlflowStore, run: str, model: str, points: Sequence[Point]) -> None:
    """On a run these are there already, and stay as they are."""
    metrics = [
        Metric(p.key, p.value, p.time_ms, p.step, model_id=model, run_id=run) for p in points
    ]
    for start in range(0, len(metrics), _METRICS):
        store.client.log_batch(run, metrics[start : start + _METRICS], synchronous=True)
