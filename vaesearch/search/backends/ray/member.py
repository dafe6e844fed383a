"""One worker as the driver sees it; no call here waits for it."""

from dataclasses import dataclass, field
from typing import Any

import ray

from vaesearch.search.backends.base import Job
from vaesearch.search.backends.ray.watching import Patience, Pulse
from vaesearch.search.backends.ray.worker import Whereabouts


@dataclass(eq=False)
class Member:
    """A worker that was asked for, is starting, or is up.

    Attributes:
        hello: answered once it has a process, and so a place on some machine.
        asked: when it was asked for.
        where: that answer.
        prepared: answered once the images are in place.
        joined: it is up.
        job, reference, submitted: what it is doing, and since when.
        used: the number of the last job it was given; the least is longest ago.
    """

    name: str
    actor: Any
    hello: Any
    prepared: Any
    asked: float = 0.0
    where: Whereabouts | None = None
    joined: bool = False
    job: Job | None = None
    reference: Any = None
    submitted: float = 0.0
    used: int = -1
    _beat: Any = field(default=None, repr=False)
    _pulse: Pulse | None = field(default=None, repr=False)

    @property
    def node(self) -> str:
        """Ray's name of its machine; empty while it has none."""
        return self.where.node if self.where else ""

    @property
    def idle(self) -> bool:
        """Whether it is up and has no job."""
        return self.joined and self.job is None

    def awaited(self) -> list[Any]:
        """References that say something new when they are ready."""
        if self.where is None:
            return [self.hello]
        return [self.reference if self.joined else self.prepared] if not self.idle else []

    def placed(self, where: Whereabouts, now: float) -> None:
        """It has a process; from here on it can be watched."""
        self.where = where
        self._pulse = Pulse.at(now)

    def given(self, job: Job, number: int, now: float) -> None:
        """Send it a job."""
        self.job, self.submitted, self.used = job, now, number
        self.reference = self.actor.carry_out.remote(job)
        if self._pulse:
            self._pulse.given_a_job(now)

    def done(self) -> Job | None:
        """It has no job any more; returns the one it had."""
        job, self.job, self.reference = self.job, None, None
        return job

    def listen(self, patience: Patience, now: float) -> str | None:
        """Ask it for its steps now and then; a line if it hangs.

        Raises:
            RayError: it is dead.
        """
        if self._pulse is None:
            return None
        if self._beat is not None:
            answered, _ = ray.wait([self._beat], timeout=0)
            if answered:
                beat, self._beat = self._beat, None
                self._pulse.heard(ray.get(beat), now)
        elif now - self._pulse.asked >= patience.between_beats:
            self._beat, self._pulse.asked = self.actor.beat.remote(), now
        return self._pulse.complaint(patience, now, busy=not self.idle)

    def excuse(self, seconds: float) -> None:
        """The driver did not listen for so long."""
        if self._pulse:
            self._pulse.shifted(seconds)
        self.submitted += seconds
        self.asked += seconds

    def stop(self) -> None:
        """End its process: Ray's daemon kills one that does not end by itself within seconds."""
        ray.kill(self.actor)
