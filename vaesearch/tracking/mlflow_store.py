"""Everything that is said to MLflow, and the only file that imports it.

Only explicit clients and run ids are used, never MLflow's global "active run", so that nothing
ever lands in another run. Every call may be repeated: runs are found again by their tags, values
that are there already stay as they are, files are overwritten.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from vaesearch.tracking.cursor import exclusive
from vaesearch.tracking.updates import RunUpdate
from vaesearch.tracking.uris import is_server

SEARCH_ID, ARM = "vaesearch.search_id", "vaesearch.arm"
MIXTURE_OF, COMPONENTS = "vaesearch.mixture_of", "vaesearch.components"
MODEL = "model"  # so that a model is loaded from runs:/RUN_ID/model

# A request may hold 1000 values in all, at most 100 of them params and 100 tags.
_METRICS, _TEXTS = 800, 100
_MAX_RUNS = 50_000  # the most that one search request may ask for


class MlflowStore:
    """One experiment of one MLflow store.

    Args:
        uri: database or server.
        experiment: name; made if missing.
        artifacts: folder for files where ``uri`` is a database; a server has its own.

    Raises:
        Exception: MLflow's own, from all methods, if the store does not answer or refuses.
    """

    def __init__(self, uri: str, experiment: str, artifacts: Path) -> None:
        if uri.startswith("sqlite:///"):
            _make_database(Path(uri.removeprefix("sqlite:///").partition("?")[0]))
        self._client = MlflowClient(tracking_uri=uri)
        location = None if is_server(uri) else artifacts.absolute().as_uri()
        self._experiment = self._find_or_create(experiment, location)
        self._search_id = ""
        self._name = ""
        # By arm, None for the search, and components, None for the arm itself.
        self._runs: dict[tuple[str | None, int | None], str] = {}

    def open_search(self, search_id: str, name: str) -> bool:
        """Turn to a search, whose parent run is to be called ``name``; whether it has one."""
        self._search_id, self._name = search_id, name
        found = self._client.search_runs(
            [self._experiment], f"tags.`{SEARCH_ID}` = '{search_id}'", max_results=_MAX_RUNS
        )
        self._runs = {_key(run.data.tags): run.info.run_id for run in found}
        return (None, None) in self._runs

    def log(self, update: RunUpdate) -> None:
        """Send one update, in as few requests as MLflow's limits allow."""
        run_id = self._run(update.arm, update.start_ms, update.components)
        for request in _requests(update):
            self._client.log_batch(run_id, **request, synchronous=True)
        if update.status == "RUNNING":
            self._client.update_run(run_id, status=update.status)
        elif update.status:
            self._client.set_terminated(run_id, update.status, update.end_ms)

    def log_file(self, arm: str | None, path: Path, folder: str | None = None) -> None:
        """Put a file into the run of ``arm`` (None: the search), under its own name."""
        self._client.log_artifact(self._run(arm), str(path), folder)

    def log_model(self, arm: str, network: Any, epoch: int) -> None:
        """Make a ``torch.nn.Module`` the model of the run of ``arm``, as it was at ``epoch``."""
        import mlflow.pytorch  # pulls in torch, which an upload without models can do without

        run = self._client.get_run(self._run(arm))
        model = self._find_or_create_model(run)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, MODEL))
            mlflow.pytorch.save_model(
                network,
                path,
                mlflow_model=Model(
                    model.artifact_location, run.info.run_id, model_id=model.model_id
                ),
                pip_requirements=["vaesearch"],  # inferring them is slow
                serialization_format="pickle",  # a traced graph could not sample or encode
            )
            self._client.log_model_artifacts(model.model_id, path)
        self._client.finalize_logged_model(model.model_id, "READY")
        outputs = run.outputs.model_outputs if run.outputs else []
        if model.model_id not in [output.model_id for output in outputs]:
            output = LoggedModelOutput(model.model_id, step=epoch)
            self._client.log_outputs(run.info.run_id, [output])

    def _find_or_create_model(self, run: Any) -> Any:
        token = None
        while True:
            page = self._client.search_logged_models(
                [self._experiment], f"name = '{MODEL}'", page_token=token
            )
            # Not every store can filter by run.
            for model in page:
                if model.source_run_id == run.info.run_id:
                    return model
            token = page.token
            if not token:
                return self._client.create_logged_model(
                    self._experiment, MODEL, run.info.run_id, params=run.data.params
                )

    def _find_or_create(self, experiment: str, location: str | None) -> str:
        found = self._client.get_experiment_by_name(experiment)
        if found is None:
            try:
                return str(self._client.create_experiment(experiment, location))
            except MlflowException:  # another search was faster, or the store is in trouble
                found = self._client.get_experiment_by_name(experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _run(
        self, arm: str | None, start_ms: int | None = None, components: int | None = None
    ) -> str:
        if (arm, components) not in self._runs:
            tags = {SEARCH_ID: self._search_id, "mlflow.source.name": "vaesearch"}
            name = arm or self._name
            if arm is not None and components is not None:
                tags |= {MIXTURE_OF: arm, COMPONENTS: str(components)}
                tags["mlflow.parentRunId"] = self._run(arm)
                name = f"{arm} gmm:{components}"
            elif arm is not None:
                tags |= {ARM: arm, "mlflow.parentRunId": self._run(None)}
            run = self._client.create_run(self._experiment, start_ms, tags, name)
            self._runs[arm, components] = run.info.run_id
        return self._runs[arm, components]


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
