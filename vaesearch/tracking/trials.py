"""What MLflow is to show of the trials of a tuned search, beside what it shows of any arm.

A trial is the run of its arm; one that was refused has no run and is counted on the search's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vaesearch.bandits.core import leader
from vaesearch.events import ArmAdded, SearchStarted
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import figures
from vaesearch.space import Space

TRIAL, GROUP, STATE = "vaesearch.trial", "vaesearch.group", "vaesearch.state"
STUDY, BEST_TRIAL = "vaesearch.study", "vaesearch.best_trial"
MOST_FILES = 10  # trials whose pictures and models are sent; all of them stay in the run directory


def search_params(event: SearchStarted) -> dict[str, str]:
    """The space of a search: a param for each that is tuned, as ``space/latent_dim``."""
    if event.space is None:
        return {}
    parameters = Space.from_dict(event.space).parameters
    return {f"space/{p.name}": p.domain.text() for p in parameters}


def trial_params(event: ArmAdded) -> dict[str, Any]:
    """The values of a trial; the settings of its arm, which have the same names, say more."""
    return dict(event.values)


def trial_tags(event: ArmAdded, config: Mapping[str, Any]) -> dict[str, Any]:
    """Which trial of which study it is; nothing where arms are fixed."""
    if event.trial is None:
        return {}
    return {TRIAL: event.trial, GROUP: event.group or None, STUDY: config.get("study")}


def state_tag(state: SearchState, arm: str) -> dict[str, str]:
    """How a trial stands, in Optuna's words; nothing for an arm that is none."""
    there = state.arms[arm]
    if there.trial is None:
        return {}
    status = state.history.arm(arm).status
    cap = state.config.get("max_epochs_per_arm")
    if status == "failed":
        word = "failed"
    elif cap is not None and there.epoch >= cap:
        word = "complete"
    elif status == "cut":
        word = "pruned"
    else:
        word = "complete" if state.finished else "running"
    return {STATE: word}


def counts(state: SearchState) -> dict[str, float]:
    """Trials so far; nothing where arms are fixed."""
    if state.space is None:
        return {}
    trained = sum(arm.trial is not None for arm in state.arms.values())
    return {
        "trials/trained": trained,
        "trials/refused": len(state.refused),
        "trials/known": len(state.known),
    }


def best_values(state: SearchState) -> dict[str, float]:
    """The objectives of the arm that leads, as ``best/bpd``."""
    first = leader(state.history.arms)
    names = state.config.get("objective", ())
    best = figures(state.arms[first.name], names) if first else None
    return {f"best/{name}": value for name, value in zip(names, best or (), strict=False)}


def best_tag(state: SearchState, arm: str | None) -> dict[str, Any]:
    """Which trial is the best."""
    return {BEST_TRIAL: state.arms[arm].trial} if arm in state.arms else {}


def with_files(state: SearchState) -> Iterator[str]:
    """The arms whose pictures and models are sent: of trials the best ones, else all."""
    left = MOST_FILES
    for name in state.ranking:
        if state.arms[name].trial is None:
            yield name
        elif left:
            left -= 1
            yield name
