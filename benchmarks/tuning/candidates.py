"""Which settings of a finished search to train again, and what to compare them with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vaesearch.bandits.core import Budget
from vaesearch.config import Config, TuneConfig
from vaesearch.records import TrialSettings
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, fold
from vaesearch.search.tuning.figures import figures
from vaesearch.search.tuning.fronts import front

OBJECTIVES = ("bpd", "consistency")
FRONT, DEFAULT = "front", "default"


@dataclass(frozen=True)
class Candidate:
    """Settings to be trained from several seeds.

    Attributes:
        kind: ``front`` of the search, or ``default``.
        values: in the space; empty for defaults.
    """

    name: str
    kind: str
    settings: TrialSettings
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """A trial of the search: its objectives on validation, at its epoch of the best bits/dim."""

    name: str
    group: str
    bpd: float
    consistency: float
    epochs: int
    on_front: bool = False


def state_of(run: Path) -> SearchState:
    """What the ledger of a finished run says."""
    return fold(read_ledger(RunDir(run).ledger), Budget())


def points_of(state: SearchState) -> list[Point]:
    """All trials that have both figures, those on the front marked."""
    found = [
        (name, state.history.arm(name), known)
        for name, arm in state.arms.items()
        if state.history.arm(name).status != "failed"
        and (known := figures(arm, OBJECTIVES)) is not None
    ]
    best = set(front([known for _, _, known in found]))
    return [
        Point(name, arm.group, *known, epochs=arm.epochs, on_front=place in best)
        for place, (name, arm, known) in enumerate(found)
    ]


def on_front(state: SearchState, most: int, worst: float = float("inf")) -> list[Candidate]:
    """The front in the order of bits/dim, thinned out evenly to ``most`` where it is longer.

    Args:
        state: of a finished search.
        most: how many at most.
        worst: bits/dim above which a member is of no use; such as those of one epoch, whose
            codes all decode to the same, and so are consistent.
    """
    members = sorted((p for p in points_of(state) if p.on_front), key=lambda p: p.bpd)
    members = [p for p in members if p.bpd <= worst] or members[:1]
    if len(members) > most:
        step = (len(members) - 1) / max(1, most - 1)
        members = [members[round(i * step)] for i in range(most)]
    return [
        Candidate(p.name, FRONT, state.arms[p.name].arm.settings, state.arms[p.name].values)
        for p in members
    ]


def worst_of(state: SearchState) -> float:
    """Validation bits/dim of the worst arm that has any, each at its best epoch."""
    return max(arm.best.metrics["bpd"] for arm in state.arms.values() if arm.best)


def defaults(config: TuneConfig) -> list[Candidate]:
    """The product's defaults with each decoder; ``config`` is resolved."""
    return [
        Candidate(f"default {name}", DEFAULT, Config.settings(config, encoder, decoder))
        for name, (encoder, decoder) in config.groups().items()
    ]


def write(candidates: Sequence[Candidate], path: Path) -> None:
    path.write_text(json.dumps([asdict(c) for c in candidates], indent=1))


def read(path: Path) -> list[Candidate]:
    return [
        Candidate(**data | {"settings": TrialSettings(**data["settings"])})
        for data in json.loads(path.read_text())
    ]
