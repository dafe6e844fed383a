"""How the arms of a search stand, in words that MLflow's pages filter, sort and show; pure.

Tags with plain names are for people: ``tags.decoder = 'mlp'``. Those of ``vaesearch.*`` are for
programs, and stay as they are.
"""

from collections.abc import Mapping
from typing import Any

from vaesearch.search.state import ArmState, SearchState
from vaesearch.tracking.pages import MOST_COMPARED, Pages

RANK, EPOCHS, NOTE = "rank", "epochs", "mlflow.note.content"
# During a search a rank below this place waits for news of its arm, or for the end: one epoch of a
# new leader moves every other arm down, and a request for each of a thousand helps nobody.
CURRENT = 10


def arm_tags(settings: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What an arm is, as people ask for it."""
    return {
        "policy": config.get("policy"),
        "decoder": settings.get("decoder"),
        "encoder": settings.get("encoder"),
    }


def ranks(state: SearchState) -> dict[str, str]:
    """The place of every arm, from 1; failed and untrained ones come last."""
    return {name: str(place) for place, name in enumerate(state.ranking, start=1)}


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The ranks worth telling at once: of arms that are, or were, among the first."""
    return {
        name: rank
        for name, rank in after.items()
        if before.get(name) != rank
        and min(int(rank), _place(before.get(name), int(rank))) <= CURRENT
    }


def _place(rank: str | None, otherwise: int) -> int:
    return int(rank) if rank is not None and rank.isdigit() else otherwise


def note(state: SearchState, pages: Pages) -> str:
    """The description of the search's run: a short ranking, and where to compare its arms.

    Markdown. Links are relative, since the same server has other names from other machines.
    """
    shown = min(len(state.ranking), MOST_COMPARED)
    what = f"these {shown} arms" if shown == len(state.ranking) else f"the best {shown} arms"
    links = f"[Compare {what}]({pages.comparison}) · [list them]({pages.listing})"
    return "\n".join([_headline(state), "", links, "", *_table(state, shown)])


def _headline(state: SearchState) -> str:
    first = state.ranking[0] if state.ranking else None
    leading = first is not None and state.arms[first].best is not None
    verb = "is best" if state.finished else "leads"
    head = f"**{_escaped(first)}** {verb}" if leading and first else "No arm is trained yet"
    data = _escaped(str(state.config.get("dataset", "")))
    return f"{head} after {state.history.spent} epochs on {data}."


def _table(state: SearchState, shown: int) -> list[str]:
    figure = "bits/dim" if state.config.get("reward") == "bpd" else "reward"
    rows = [f"| rank | arm | {figure} | at epoch | epochs | status |", "|--:|---|--:|--:|--:|---|"]
    for place, name in enumerate(state.ranking[:shown], start=1):
        arm = state.arms[name]
        best, status = arm.best, _word(state, name)
        value = "" if best is None else f"{_figure(arm, figure):.4g}"
        at = "" if best is None else str(best.epoch)
        cells = (str(place), _escaped(name), value, at, str(arm.epoch), status)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _word(state: SearchState, name: str) -> str:
    status = state.history.arm(name).status
    return ("finished" if state.finished else "running") if status == "open" else status


def _figure(arm: ArmState, figure: str) -> float:
    reward = arm.best.reward if arm.best else float("nan")
    return -reward if figure == "bits/dim" else reward


def _escaped(name: str) -> str:
    return name.replace("|", "\\|")
