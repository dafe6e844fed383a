"""The search that is disturbed: a driver in a process of its own, killed and resumed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from vaesearch.events import Event
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir

OPTIONS = [
    "--dataset", "digits", "--image-size", "8", "--width", "0.1", "--train-limit", "400",
    "--decoders", "mlp,mlp-wide,deconv,upsample",
]  # fmt: skip
ARMS = 4
HANG = 10.0  # seconds without progress, after which a worker is taken for hung


@dataclass(frozen=True)
class Size:
    """How much is searched: epochs in all and for an arm at most, epochs per pull."""

    epochs: int = 150
    cap: int = 75
    chunk: int = 1


@dataclass
class Driver:
    """``vaesearch bandit`` on a cluster, and ``vaesearch resume`` after each death.

    Attributes:
        folder: of the run, which is also named after it.
        tracking: URI of an MLflow store.
        starts: how often a process was started.
    """

    folder: Path
    address: str
    tracking: str
    size: Size
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """What its processes said."""
        return self.folder.with_suffix(".log")

    def start(self) -> None:
        """Begin, or go on from the ledger if it has lines."""
        words = ["resume", self.folder] if self.events() else self._first()
        words += ["--address", self.address]
        self.starts += 1
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vaesearch", *map(str, words)],
                env=environment(), stdout=log, stderr=log,
            )  # fmt: skip

    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll() if self._process else 0

    def kill(self) -> None:
        """``kill -9``."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it has ended."""
        end = time.monotonic() + seconds
        while self.status() is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.status() is not None

    def events(self) -> list[Event]:
        """The ledger so far."""
        path = RunDir(self.folder).ledger
        return read_ledger(path) if path.exists() else []

    def epochs(self) -> int | None:
        """How many the ledger has; None as long as there is none."""
        events = self.events()
        return len(rewards(events)) if events else None

    def _first(self) -> list[object]:
        size = self.size
        return [
            "bandit", *OPTIONS, "--epochs", size.epochs, "--max-epochs-per-arm", size.cap,
            "--chunk", size.chunk, "--hang-seconds", HANG, "--run-dir", self.folder,
            "--tracking-uri", self.tracking, "--experiment", "reliability",
        ]  # fmt: skip


def environment() -> dict[str, str]:
    """Of every process: one thread each, and as little noise as possible."""
    return os.environ | {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def undisturbed(folder: Path, cap: int) -> dict[tuple[str, int], float]:
    """Reward of every (arm, epoch) up to ``cap``, from a search that nobody harms."""
    words = [
        "bandit", *OPTIONS, "--backend", "local", "--policy", "uniform", "--run-dir", folder,
        "--tracking-uri", "none", "--epochs", cap * ARMS, "--max-epochs-per-arm", cap,
    ]  # fmt: skip
    if not RunDir(folder).results.exists():
        words = ["resume", folder] if RunDir(folder).ledger.exists() else words
        subprocess.run(
            [sys.executable, "-m", "vaesearch", *map(str, words)],
            env=environment(), check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return rewards(read_ledger(RunDir(folder).ledger))


def rewards(events: list[Event]) -> dict[tuple[str, int], float]:
    """Reward of every (arm, epoch) in a ledger."""
    from vaesearch.events import PullFinished

    return {
        (event.arm, report["epoch"]): report["reward"]
        for event in events if isinstance(event, PullFinished) for report in event.reports
    }  # fmt: skip
