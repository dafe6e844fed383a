"""What a run of a method leaves behind: every epoch with the second in which it was known."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import vaesearch
from vaesearch.records import Arm, TrialSettings


@dataclass(frozen=True)
class Step:
    """An epoch: ``at`` seconds into the run it was known; it took ``took`` seconds."""

    at: float
    trial: str
    epoch: int
    bpd: float
    took: float


@dataclass
class Recorder:
    """Hears of epochs, by a monotonic clock that :meth:`begin` starts.

    Attributes:
        startup: seconds before the clock that the method itself needed; not counted.
    """

    seconds: float
    began: float = 0.0
    startup: float = 0.0
    steps: list[Step] = field(default_factory=list)
    arms: dict[str, Arm] = field(default_factory=dict)

    def begin(self, began: float | None = None) -> None:
        """Start the clock, now or at the given reading of ``time.monotonic``."""
        self.began = time.monotonic() if began is None else began

    @property
    def deadline(self) -> float:
        """In the units of ``time.monotonic``."""
        return self.began + self.seconds

    def add(self, arm: Arm, epoch: int, bpd: float, took: float, at: float | None = None) -> None:
        """Note an epoch; what is known only after the deadline does not count."""
        now = time.monotonic() if at is None else at
        if now <= self.deadline:
            self.arms[arm.name] = arm
            self.steps.append(Step(now - self.began, arm.name, epoch, bpd, took))

    @property
    def best(self) -> Step:
        """What the method hands out: the best epoch on validation, the earliest of equals."""
        return min(self.steps, key=lambda step: step.bpd)


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        seconds: that it had.
        test: test bits/dim of its best epoch on validation.
        settings: of the trial that has it.
        code: of the package that ran.
    """

    method: str
    seed: int
    seconds: float
    startup: float
    steps: tuple[Step, ...]
    test: float
    settings: TrialSettings
    code: str

    def best_at(self, seconds: float) -> float:
        """Best validation bits/dim known after so many seconds; infinite before any."""
        return min((s.bpd for s in self.steps if s.at <= seconds), default=float("inf"))

    @property
    def final(self) -> float:
        """Best validation bits/dim of the run."""
        return self.best_at(self.seconds)

    def reached(self, bpd: float) -> float:
        """Seconds until ``bpd`` bits/dim were reached; infinite if they never were."""
        return min((s.at for s in self.steps if s.bpd <= bpd), default=float("inf"))

    @property
    def trials(self) -> int:
        """Trials with an epoch at least."""
        return len({s.trial for s in self.steps})

    @property
    def training(self) -> float:
        """Share of the time in which epochs were trained and validated."""
        return sum(s.took for s in self.steps) / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Run":
        """What :meth:`to_dict` gave."""
        steps = tuple(Step(**step) for step in data["steps"])
        return cls(**data | {"steps": steps, "settings": TrialSettings(**data["settings"])})


def save(run: Run, path: Path) -> None:
    """Write it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(run.to_dict()))
    half.replace(path)


def load(path: Path) -> Run:
    return Run.from_dict(json.loads(path.read_text()))


@cache
def code_digest() -> str:
    """Of the package's source: runs of different code do not belong in one table."""
    folder = Path(vaesearch.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
