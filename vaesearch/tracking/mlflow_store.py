"""Runs in MLflow. Only this file and ``mlflow_models`` import it.

Only explicit clients and run ids are used, never MLflow's global "active run", so that nothing
ever lands in another run. Every call may be repeated: runs are found again by their tags, values
that are there already stay as they are, files are overwritten.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.data.schema import TensorDatasetSchema
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunTag,
    ViewType,
)
from mlflow.exceptions import MlflowException
from mlflow.types import Schema, TensorSpec

from vaesearch.tracking.cursor import exclusive
from vaesearch.tracking.inputs import Images
from vaesearch.tracking.pages import ARM, SEARCH_ID, Pages
from vaesearch.tracking.updates import RunUpdate
from vaesearch.tracking.uris import is_server

MIXTURE_OF, COMPONENTS = "vaesearch.mixture_of", "vaesearch.components"
# MLflow's pages open on language models unless told what the experiment is for.
EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.experiment.primaryMetric.name": "best/reward",
    "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
}

# A request may hold 1000 values in all, at most 100 of them params and 100 tags.
_METRICS, _TEXTS = 800, 100
_MAX_RUNS = 50_000  # the most that one search request may ask for


class MlflowStore:
    """One experiment of one MLflow store.

    Args:
        uri: database or server; see :func:`~vaesearch.tracking.uris.connectable`.
        experiment: name; made if missing.
        artifacts: folder for files where ``uri`` is a database; a server has its own.

    Raises:
        Exception: MLflow's own, from all methods, if the store does not answer or refuses.
    """

    def __init__(self, uri: str, experiment: str, artifacts: Path) -> None:
        if uri.startswith("sqlite:///"):
            _make_database(Path(uri.removeprefix("sqlite:///").partition("?")[0]))
        self.uri = uri
        self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        location = None if is_server(uri) else artifacts.absolute().as_uri()
        self.experiment = self._find_or_create(experiment, location)
        self._search_id = ""
        self._name = ""
        # By arm, None for the search, and components, None for the arm itself.
        self._runs: dict[tuple[str | None, int | None], str] = {}

    def open_search(self, search_id: str, name: str) -> bool:
        """Turn to a search, whose parent run is to be called ``name``; whether it has one."""
        self._search_id, self._name = search_id, name
        found = _runs_of(self.client, self.experiment, search_id)
        self._runs = {_key(run.data.tags): run.info.run_id for run in found}
        self.tags = {
            run.data.tags[ARM]: dict(run.data.tags) for run in found if ARM in run.data.tags
        }
        return (None, None) in self._runs

    def pages(self, arms: Sequence[str]) -> Pages:
        """Where the search and ``arms`` are shown; arms without a run are left out."""
        known = [self._runs[arm, None] for arm in arms if (arm, None) in self._runs]
        return Pages(self.experiment, self.run(None), self._search_id, tuple(known))

    def log(self, update: RunUpdate) -> None:
        """Send one update, in as few requests as MLflow's limits allow."""
        run_id = self.run(update.arm, update.start_ms, update.components)
        for request in _requests(update):
            self.client.log_batch(run_id, **request, synchronous=True)
        if update.images:
            self.client.log_inputs(run_id, [_dataset(images) for images in update.images])
        if update.status == "RUNNING":
            self.client.update_run(run_id, status=update.status)
        elif update.status:
            self.client.set_terminated(run_id, update.status, update.end_ms)

    def log_file(self, arm: str | None, path: Path, folder: str | None = None) -> None:
        """Put a file into the run of ``arm`` (None: the search), under its own name."""
        self.client.log_artifact(self.run(arm), str(path), folder)

    def run(
        self, arm: str | None, start_ms: int | None = None, components: int | None = None
    ) -> str:
        """The id of a run, which is made if missing."""
        if (arm, components) not in self._runs:
            tags = {SEARCH_ID: self._search_id, "mlflow.source.name": "vaesearch"}
            name = arm or self._name
            if arm is not None and components is not None:
                tags |= {MIXTURE_OF: arm, COMPONENTS: str(components)}
                tags["mlflow.parentRunId"] = self.run(arm)
                name = f"{arm} gmm:{components}"
            elif arm is not None:
                tags |= {ARM: arm, "mlflow.parentRunId": self.run(None)}
            run = self.client.create_run(self.experiment, start_ms, tags, name)
            self._runs[arm, components] = run.info.run_id
        return self._runs[arm, components]

    def _find_or_create(self, experiment: str, location: str | None) -> str:
        found = self.client.get_experiment_by_name(experiment)
        if found is None:
            try:
                made = self.client.create_experiment(experiment, location, EXPERIMENT_TAGS)
                return str(made)
            except MlflowException:  # another search was faster, or the store is in trouble
                found = self.client.get_experiment_by_name(experiment)
                if found is None:
                    raise
        return str(found.experiment_id)


def find_pages(uri: str, experiment: str, search_id: str) -> Pages | None:
    """Where a search is shown; None if MLflow does not have it. Makes nothing.

    Raises:
        Exception: MLflow's own, if the store does not answer or refuses.
    """
    client = MlflowClient(tracking_uri=uri)
    there = client.get_experiment_by_name(experiment)
    found = _runs_of(client, there.experiment_id, search_id) if there else []
    parent = [run for run in found if _key(run.data.tags) == (None, None)]
    if not parent:
        return None
    arms = [run for run in found if ARM in run.data.tags]
    arms.sort(key=lambda run: int(run.data.tags.get("rank", len(arms))))
    ids = tuple(run.info.run_id for run in arms)
    return Pages(str(there.experiment_id), parent[0].info.run_id, search_id, ids)


def _runs_of(client: MlflowClient, experiment: str, search_id: str) -> list[Any]:
    wanted = f"tags.`{SEARCH_ID}` = '{search_id}'"
    found = client.search_runs([experiment], wanted, ViewType.ACTIVE_ONLY, max_results=_MAX_RUNS)
    return list(found)


def _key(tags: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Whose run it is."""
    if COMPONENTS in tags:
        return tags.get(MIXTURE_OF), int(tags[COMPONENTS])
    return tags.get(ARM), None


def _requests(update: RunUpdate) -> Iterator[dict[str, Any]]:
    metrics = [Metric(p.key, p.value, p.time_ms, p.step) for p in update.points]
    params = [Param(key, value) for key, value in update.params.items()]
    tags = [RunTag(key, value) for key, value in update.tags.items()]
    while metrics or params or tags:
        yield {"metrics": metrics[:_METRICS], "params": params[:_TEXTS], "tags": tags[:_TEXTS]}
        metrics, params, tags = metrics[_METRICS:], params[_TEXTS:], tags[_TEXTS:]


def _dataset(images: Images) -> DatasetInput:
    spec = Schema([TensorSpec(np.dtype(np.uint8), (-1, *images.shape))])
    dataset = Dataset(
        images.name,
        images.digest,
        images.source_kind,
        json.dumps(images.source),
        json.dumps(TensorDatasetSchema(spec).to_dict()),
        json.dumps(images.profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", images.context)])


def _make_database(path: Path) -> None:
    """Make an SQLite store under another name first.

    Its creation takes seconds, and a file whose creation was cut short is of no use to MLflow.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.with_name(f".{path.name}.lock")):
        if path.exists():  # by now, thanks to another search
            return
        draft = path.with_name(f".{path.name}.new")
        draft.unlink(missing_ok=True)
        Path(f"{draft}-journal").unlink(missing_ok=True)
        MlflowClient(tracking_uri=f"sqlite:///{draft}")
        os.replace(draft, path)
