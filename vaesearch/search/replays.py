"""What a policy would have done: a search over recorded curves, by the controller that runs live.

The clock is virtual, so hours of training take milliseconds; asynchrony, unequal costs and failed
arms are as they were recorded.
"""

from collections.abc import Mapping
from dataclasses import replace

from vaesearch.bandits.core import Budget, Policy
from vaesearch.recordings import Curve, Recording
from vaesearch.records import ArmAdded, EpochReport, Event
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller, Observer
from vaesearch.search.state import SearchState, fold


class MemoryLog:
    """A log that numbers events, stamps them with the virtual clock, and keeps none of them."""

    def __init__(self, backend: ReplayBackend) -> None:
        self._backend = backend
        self._count = 0

    def append(self, event: Event, *, sync: bool = True) -> Event:
        """Number ``event``."""
        stamped = replace(event, seq=self._count, time=self._backend.now())
        self._count += 1
        return stamped


def replay(
    recording: Recording,
    curves: Mapping[str, Curve],
    policy: Policy,
    budget: Budget,
    *,
    seed: int = 0,
    observers: tuple[Observer, ...] = (),
) -> SearchState:
    """Run ``policy`` on recorded curves until ``budget`` is spent.

    An arm can go no further than it was recorded; one that failed fails again where it did.

    Args:
        recording: says in which direction the metric is better.
        curves: the arms, by name; usually ``recording.of_seed(seed)``.
        policy: decides.
        budget: of the search; its ``workers`` pull side by side.
        seed: of the policy's randomness.
        observers: called after every event, as in a live search.

    Returns:
        The state at the end; times are virtual seconds.
    """
    reports = {
        name: [
            EpochReport(epoch, recording.reward(metric), seconds, {})
            for epoch, (metric, seconds) in enumerate(
                zip(curve.valid, curve.seconds, strict=True), start=1
            )
        ]
        for name, curve in curves.items()
    }  # fmt: skip
    failures = {name: curve.failed for name, curve in curves.items() if curve.failed}
    backend = ReplayBackend(reports, budget.workers, failures=failures)
    controller = Controller(
        MemoryLog(backend), fold([], budget), policy, backend, seed=seed, observers=observers
    )
    for name, curve in curves.items():
        # An arm that failed runs into its failure; any other ends where the recording does.
        limit = None if curve.failed else len(curve.valid)
        controller.record(ArmAdded(name, curve.settings, curve.parameters, limit))
    controller.run()
    return controller.state
