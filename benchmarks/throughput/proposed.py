"""A replayed search whose trials a sampler proposes, with the observers that a real one has.

The study mirror has a thread of its own in the controller's process. It writes into SQLite, or
into a storage that takes its time over every write.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from throughput.recorded import LENGTH, reports
from throughput.simulated import Cost, Window, make
from throughput.watch import Watch, Watched
from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import TuneConfig
from vaesearch.events import ArmAdded, SearchStarted
from vaesearch.records import Arm
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Observer
from vaesearch.search.ledger import Ledger
from vaesearch.search.state import fold
from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.keeping import Keeper
from vaesearch.search.tuning.mirroring import StudyMirror
from vaesearch.search.tuning.proposals import Proposer
from vaesearch.search.tuning.source import Admission, TrialSource
from vaesearch.search.tuning.storage import claim_at
from vaesearch.search.tuning.study import key_of
from vaesearch.search.tuning.writing import StudyWriter
from vaesearch.space import Space, load_space

SPACE = Path(__file__).parents[1] / "tuning" / "digits.yaml"
MIRRORS = ("none", "sqlite", "slow")
SLOW = 0.5  # seconds that a slow storage takes over a write


def measure(
    workers: int, pulls: int, mirror: str, folder: Path, *, trials: int, sampler: str = "tpe"
) -> Cost:
    """Milliseconds per pull over ``pulls`` pulls behind as many; proposals count as decision.

    Args:
        workers: simulated ones.
        pulls: that are timed.
        mirror: of :data:`MIRRORS`.
        folder: on the disk of ledger and study.
        trials: most that are proposed.
        sampler: a catalogue spec.
    """
    config = TuneConfig(
        dataset="digits", decoders="mlp", sampler=sampler, trials=trials, epochs=40 * trials,
        max_epochs_per_arm=LENGTH, latent_dim=8, batch_size=32, study="simulated",
    )  # fmt: skip
    space, policy = load_space(str(SPACE)), catalogue.build("policies", config.policy)
    replayed = ReplayBackend(reports(trials, "trial-{:03d}"), workers)
    proposer = Proposer(space, sampler, config.seed)
    source = TrialSource(config, proposer, policy, Admission(_admit))
    budget = Budget(config.epochs, None, config.max_epochs_per_arm, workers, trials)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        watch = Watch()
        window = Window(pulls, pulls, watch, replayed)
        log = Ledger(Path(place) / "ledger.jsonl")
        keeper = Keeper(lambda arm, epochs: None)
        with _mirrored(mirror, Path(place), config, space) as observers:
            controller = make(
                log, budget, config.policy, replayed, watch, window, (*observers, keeper),
                source=Watched(source, watch, "proposal", ("next_arms",)),
            )  # fmt: skip
            controller.record(_first_line(config, space))
            controller.run()
        log.close()
        return window.cost(workers)


def _admit(arm: Arm) -> ArmAdded:
    return ArmAdded(arm.name, asdict(arm.settings), 1)


def _first_line(config: TuneConfig, space: Space) -> SearchStarted:
    return SearchStarted("simulated", "0", config.to_dict(), {}, space.to_dict())


@contextmanager
def _mirrored(
    kind: str, place: Path, config: TuneConfig, space: Space
) -> Iterator[tuple[Observer, ...]]:
    """The observers of a search whose study is written as ``kind`` says."""
    if kind == "none":
        yield ()
        return
    address = parse(f"sqlite:///{place / 'study.db'}")
    key = key_of(config.to_dict(), "simulated", space, place, "0")
    claim_at(address, key)
    mirror = StudyMirror(address, key, space, place)
    with _slowed(SLOW if kind == "slow" else 0.0):
        mirror.start([], fold([], Budget()))
        yield (mirror.observe,)
        mirror.close(60.0)


@contextmanager
def _slowed(seconds: float) -> Iterator[None]:
    """Every write into a study takes so much longer."""
    write: Any = StudyWriter.write

    def slow(*arguments: Any) -> None:
        time.sleep(seconds)
        write(*arguments)

    StudyWriter.write = slow  # type: ignore[method-assign]
    try:
        yield
    finally:
        StudyWriter.write = write  # type: ignore[method-assign]
