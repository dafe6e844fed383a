"""The result of a search as data (``results.json``) and as a ranking (terminal, Markdown)."""

import math
from dataclasses import asdict, astuple, dataclass
from typing import Any

from vaesearch.bandits.core import leader
from vaesearch.report.units import NONE, Scale, one_line, scale_of, write_seconds
from vaesearch.search.state import ArmState, SearchState


def results(state: SearchState) -> dict[str, Any]:
    """The content of ``results.json``: plain data, arms best first, no NaN and no infinity.

    ``reward`` is "higher is better" here, as in the ledger; ``seconds`` are worker time, summed
    over epochs (and so exceed wall-clock time where workers ran side by side).
    """
    arms = [_arm_result(state, name) for name in state.ranking]
    content = {
        "best_arm": best_arm(state),
        "policy": state.config.get("policy"),
        "seed": state.config.get("seed"),
        "reward": state.config.get("reward"),
        "epochs": state.history.spent,
        "seconds": sum(arm["seconds"] for arm in arms),
        "reason": state.finished.reason if state.finished else None,
        "arms": arms,
    }
    safe: dict[str, Any] = json_safe(content)
    return safe


def best_arm(state: SearchState) -> str | None:
    """The arm that the search recommends, or that leads so far; None before any reward."""
    if state.finished:
        return state.finished.best_arm
    ahead = leader(state.history.arms)
    return ahead.name if ahead else None


def _arm_result(state: SearchState, name: str) -> dict[str, Any]:
    arm = state.arms[name]
    best = arm.best
    return {
        "name": name,
        "epochs": arm.epoch,
        "reward": best.reward if best else None,
        "best_epoch": best.epoch if best else None,
        "seconds": sum(r.seconds for r in arm.reports),
        "status": state.history.arm(name).status,
        "note": arm.note or shrunk(state, arm),
        "parameters": arm.parameters,
        "flops": arm.flops,
        "settings": asdict(arm.arm.settings),
        "metrics": best.metrics if best else {},
        "test": arm.test,
        "curve": [r.reward for r in arm.reports],
    }


def json_safe(value: Any) -> Any:
    """Plain data without NaN and infinity, which JSON does not have: null stands for them."""
    match value:
        case dict():
            return {key: json_safe(item) for key, item in value.items()}
        case list() | tuple():
            return [json_safe(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value


@dataclass(frozen=True)
class Row:
    """One line of the ranking, every cell written out; ``-`` where there is nothing to say."""

    rank: str
    arm: str
    epochs: str
    best_epoch: str
    validation: str
    test: str
    seconds: str
    share: str
    note: str


@dataclass(frozen=True)
class Ranking:
    """The arms of a search, best first, under one header per cell."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]


def ranking_table(state: SearchState) -> Ranking:
    """How the arms compare; failed and untrained ones come last and have no rank."""
    scale = scale_of(state)
    headers = (
        "rank", "arm", "epochs", "best epoch", f"validation {scale.name}", f"test {scale.name}",
        "s/epoch", "share", "note",
    )  # fmt: skip
    ranked = enumerate(state.ranking, start=1)
    return Ranking(headers, tuple(_row(state, scale, rank, name) for rank, name in ranked))


def _row(state: SearchState, scale: Scale, rank: int, name: str) -> Row:
    arm, history = state.arms[name], state.history.arm(name)
    best = arm.best
    spent = state.history.spent
    return Row(
        rank=str(rank) if best and history.status != "failed" else NONE,
        arm=name,
        epochs=str(arm.epoch),
        best_epoch=str(best.epoch) if best else NONE,
        validation=scale.write_reward(best.reward if best else None),
        test=scale.write(arm.test.get(scale.metric)),
        seconds=write_seconds(history.cost),
        share=f"{arm.epoch / spent:.0%}" if spent else NONE,
        note=standing(state, arm),
    )


def standing(state: SearchState, arm: ArmState) -> str:
    """In a word or a line, what is unusual about an arm; empty where nothing is."""
    status = state.history.arm(arm.arm.name).status
    if status == "open" and (smaller := shrunk(state, arm)):
        return smaller
    if status != "open":
        return f"{status}: {one_line(arm.note)}" if arm.note else status
    return "" if arm.reports else "untrained"


def shrunk(state: SearchState, arm: ArmState) -> str:
    """That the batches of an arm were halved on the way; empty where they were not."""
    first, now = state.config.get("batch_size"), arm.arm.settings.batch_size
    if first is None or "batch_size" in arm.values or now >= first:
        return ""
    return f"batches halved from {first} to {now}: too large for a GPU"


def to_markdown(ranking: Ranking) -> str:
    """The ranking as a Markdown table, numbers to the right."""
    left = {"arm", "note"}
    rules = ["---" if header in left else "--:" for header in ranking.headers]
    lines = [ranking.headers, rules, *(astuple(row) for row in ranking.rows)]
    return "".join(f"| {' | '.join(_escape(cell) for cell in line)} |\n" for line in lines)


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")
