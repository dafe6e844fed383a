"""Whether a worker hangs: told from a counter of its steps, and from whether it answers at all.

A worker that works moves its counter with every batch. It is asked for it every few seconds in a
thread of its own; one that holds Python's lock for ever, sleeps in C, or was stopped by a signal
moves nothing, and mostly does not answer either. Clocks decide here about machines, never about
arms: the pull is done again elsewhere and gives the same bits.
"""

from dataclasses import dataclass

from vaesearch.storage import Folder

LEAST_SECONDS = 300.0
START_SECONDS = 180.0
SLOW_EPOCHS = 20
REQUEST_SECONDS = 60.0
BEAT_SECONDS = 5.0


@dataclass
class Patience:
    """How long a worker may go without a step.

    Attributes:
        given: by the user; None for the default.
        slowest: seconds of the slowest epoch of any arm so far.
        least: seconds that a worker may wait for its storage alone.
    """

    given: float | None = None
    slowest: float = 0.0
    least: float = 0.0

    def saw(self, seconds: float) -> None:
        """An epoch took so long."""
        self.slowest = max(self.slowest, seconds)

    @property
    def limit(self) -> float:
        """In seconds."""
        return max(self.least, self.given or max(LEAST_SECONDS, SLOW_EPOCHS * self.slowest))

    def of_start(self) -> "Patience":
        """With a worker that has no images yet: a storage may be far away, a machine cold."""
        return Patience(max(self.limit, START_SECONDS))

    @property
    def between_beats(self) -> float:
        """Seconds from one question to the next."""
        return min(BEAT_SECONDS, self.limit / 4)


def storage_seconds(folder: Folder) -> float:
    """How long a worker may wait for its storage without a step.

    Where one far away does not answer it is asked again for a time: once to read the checkpoint
    that a pull starts from, once to write, each with a last request that is not cut short.
    """
    patience: float | None = getattr(folder, "patience", None)  # of a RemoteFolder
    return 0.0 if patience is None else 2 * patience + REQUEST_SECONDS


@dataclass
class Pulse:
    """What was heard of a worker, by the driver's clock.

    Attributes:
        moved: when its counter was last seen to have changed, or it was given a job.
        answered: when it last answered.
        asked: when it was last asked.
    """

    moved: float
    answered: float
    asked: float
    count: int = -1

    @classmethod
    def at(cls, now: float) -> "Pulse":
        """Of a worker that is heard of for the first time."""
        return cls(now, now, now)

    def heard(self, count: int, now: float) -> None:
        """It answered."""
        self.answered = now
        if count != self.count:
            self.count, self.moved = count, now

    def given_a_job(self, now: float) -> None:
        """From here on it must move."""
        self.moved = now

    def shifted(self, seconds: float) -> None:
        """Nobody listened for ``seconds``, so they do not count."""
        self.moved += seconds
        self.answered += seconds
        self.asked += seconds

    def complaint(self, patience: Patience, now: float, *, busy: bool) -> str | None:
        """Why it passes for hung; None while it does not."""
        limit = patience.limit
        cure = "" if patience.given is None else " (--hang-seconds)"
        if busy and now - self.moved > limit:
            return f"made no step for {limit:.0f} s{cure} and was stopped"
        if not busy and now - self.answered > limit:
            return f"did not answer for {limit:.0f} s{cure} and was stopped"
        return None
