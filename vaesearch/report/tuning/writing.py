"""Everything that a tuned search leaves for a person."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vaesearch.events import Event
from vaesearch.recordings import recording_to_bytes
from vaesearch.report.artifacts import write_text
from vaesearch.report.figures import write_file
from vaesearch.report.machine import hardware, software
from vaesearch.report.tables import results
from vaesearch.report.tuning.best import trial_yaml
from vaesearch.report.tuning.curves import trial_curves
from vaesearch.report.tuning.front import pareto_front
from vaesearch.report.tuning.importance import importance_bars
from vaesearch.report.tuning.parallel import parallel
from vaesearch.report.tuning.progress import groups, history
from vaesearch.report.tuning.slices import slices
from vaesearch.report.tuning.tables import best_trials, counts, front_trials, importance_table
from vaesearch.search.evaluations import finite
from vaesearch.search.mixtures import best_components, with_components
from vaesearch.search.replays import recording_of
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import Findings, Trial, findings
from vaesearch.search.tuning.importances import Importances, importances
from vaesearch.space import Space


def write_tuned(run_dir: RunDir, state: SearchState, events: Sequence[Event]) -> None:
    """Write ``results.json``, ``results.md``, ``best.yaml``, the front's files and the pictures.

    Raises:
        StorageError: the disk is full or read-only.
    """
    found, matters = findings(state), importances(state)
    recording = recording_of(state, hardware=hardware(), software=software())
    write_file(run_dir.curves, recording_to_bytes(recording))
    _draw(run_dir, state, events, found, matters)
    write_trials(run_dir, state, found)
    write_text(run_dir.ranking, _markdown(found, matters))
    content = with_components(run_dir, state, tuned_results(state, found, matters))
    write_text(run_dir.results, json.dumps(content, indent=2) + "\n")


def tuned_results(
    state: SearchState, found: Findings, matters: Sequence[Importances]
) -> dict[str, Any]:
    """The content of ``results.json``: that of a bandit, and what is known of trials."""
    space = Space.from_dict(state.space).fingerprint if state.space else None
    content = results(state) | found.plain()
    content |= {"sampler": state.config.get("sampler"), "space": space, "saved": None}
    content["importances"] = [asdict(one) | {"remark": one.remark} for one in matters]
    plain: dict[str, Any] = finite(content)
    return plain


def _draw(
    run_dir: RunDir,
    state: SearchState,
    events: Sequence[Event],
    found: Findings,
    matters: Sequence[Importances],
) -> None:
    plots = run_dir.plots
    trial_curves(state, found, plots / "learning_curves.png")
    history(state, found, events, plots / "history.png")
    groups(state, found, events, plots / "decoders.png")
    slices(state, found, plots / "slices.png")
    parallel(state, found, plots / "parallel_coordinates.png")
    pareto_front(state, found, plots / "front.png")
    importance_bars(state, matters, plots / "importances.png")


def write_trials(run_dir: RunDir, state: SearchState, found: Findings) -> None:
    """``best.yaml``, and one file for each trial of a front; those of an earlier one go.

    Raises:
        StorageError: the disk is full or read-only.
    """
    if found.best is not None:
        run_dir.front.parent.mkdir(parents=True, exist_ok=True)
        write_text(run_dir.best, _yaml(run_dir, state, found, found.best))
    wanted = [found.trials[n] for n in found.front] if len(found.objectives) > 1 else []
    for path in run_dir.front.glob("*.yaml"):
        if path.stem not in {run_dir.front_file(t.arm or "").stem for t in wanted}:
            path.unlink(missing_ok=True)
    for trial in wanted:
        text = _yaml(run_dir, state, found, trial)
        write_file(run_dir.front_file(trial.arm or ""), text.encode())


def _yaml(run_dir: RunDir, state: SearchState, found: Findings, trial: Trial) -> str:
    components = best_components(run_dir, state.arms[trial.arm]) if trial.arm else None
    return trial_yaml(state, found, trial, run_dir.path.absolute().name, components)


def _markdown(found: Findings, matters: Sequence[Importances]) -> str:
    parts = ["## Best trials\n", counts(found), "", best_trials(found).to_markdown()]
    if len(found.objectives) > 1:
        grid = front_trials(found)
        shown = f"{len(grid.rows)} of {len(found.front)} trials that no other dominates."
        parts += ["## Front\n", shown, "", grid.to_markdown()]
    parts.append("## Importances\n")
    for one in matters:
        parts += [importance_table(one).to_markdown()] if one.rows else []
        parts += [one.remark, ""]
    return "\n".join(parts) + "\n"
