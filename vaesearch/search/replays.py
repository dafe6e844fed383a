"""What a policy would have done: a search over recorded curves, by the controller that runs live.

The clock is virtual, so hours of training take milliseconds; asynchrony, unequal costs and failed
arms are as they were recorded. Any search becomes a recording by :func:`recording_of`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from vaesearch.bandits.core import Budget, Policy
from vaesearch.errors import RecordingError
from vaesearch.events import (
    ArmAdded,
    ArmCut,
    ArmFailed,
    Event,
    PullFinished,
    PullStarted,
    SearchResumed,
)
from vaesearch.recordings import DIRECTIONS, METRICS, Curve, Manifest, Recording
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller, Observer
from vaesearch.search.regret import Step, Trace
from vaesearch.search.state import ArmState, SearchState, fold

_END = "its recorded curve ends here"


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
    announced: bool = True,
    chunk: int = 1,
    overhead: float | Mapping[str, float] = 0.0,
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
        announced: the policy knows from the start where each curve ends, as if that were the
            arm's limit. Otherwise it plans as in a live search, and an arm that it wants beyond
            its curve is cut at that moment.
        chunk: least epochs per pull, as in :class:`~vaesearch.search.controller.Controller`.
        overhead: seconds of every pull beyond its epochs, of all arms or by arm.

    Returns:
        The state at the end; times are virtual seconds.
    """
    reports = {name: _reports(recording, curve) for name, curve in curves.items()}
    failures = {name: curve.failed for name, curve in curves.items() if curve.failed}
    backend = ReplayBackend(
        reports, budget.workers, failures=failures, overhead=overhead, short=not announced
    )
    end = () if announced else (_EndOfCurves(curves, lambda cut: controller.record(cut)),)
    controller = Controller(
        MemoryLog(backend), fold([], budget), policy, backend,
        seed=seed, observers=(*observers, *end), chunk=chunk,
    )  # fmt: skip
    for name, curve in curves.items():
        # An arm that failed runs into its failure; any other ends where the recording does.
        limit = None if curve.failed or not announced else len(curve.valid)
        controller.record(ArmAdded(name, _settings(curve), curve.parameters, limit))
    controller.run()
    return controller.state


class _EndOfCurves:
    """Cuts an arm when a pull of it came back short because nothing more was recorded.

    It has to be the last observer: the cut is an event too, and the others see it after its cause.
    """

    def __init__(self, curves: Mapping[str, Curve], record: Callable[[ArmCut], None]) -> None:
        self._curves = curves
        self._record = record
        self._asked: dict[int, int] = {}

    def __call__(self, event: Event, state: SearchState) -> None:
        """Follow the search by one event."""
        if isinstance(event, PullStarted):
            self._asked[event.pull] = event.from_epoch + event.epochs
        if isinstance(event, PullFinished):
            asked, curve = self._asked.pop(event.pull), self._curves[event.arm]
            recorded = len(curve.valid)
            if state.arms[event.arm].epoch == recorded < asked and not curve.failed:
                self._record(ArmCut(event.arm, _END))


def _reports(recording: Recording, curve: Curve) -> list[EpochReport]:
    epochs = enumerate(zip(curve.valid, curve.seconds, strict=True), start=1)
    return [
        EpochReport(epoch, recording.reward(metric), seconds, {})
        for epoch, (metric, seconds) in epochs
    ]


def _settings(curve: Curve) -> dict[str, Any]:
    """What the state wants to know of an arm; recordings of others may say less, or more."""
    known = {f.name for f in fields(TrialSettings)}
    return {"decoder": curve.arm} | {k: v for k, v in curve.settings.items() if k in known}


def recording_of(
    state: SearchState, *, hardware: str = "", software: Mapping[str, str] | None = None
) -> Recording:
    """What a search has seen of its arms, as a recording.

    A curve ends where the search left its arm. Test figures are there for the appraised epoch
    only, and arms that were never trained are left out.

    Args:
        state: of the search, finished or not.
        hardware: what it ran on.
        software: versions by name.

    Raises:
        RecordingError: it is not known in which direction the reward of the search is better.
    """
    metric = state.config.get("reward", "bpd")
    if metric not in METRICS:
        raise RecordingError(
            f"is a higher or a lower {metric!r} better? Known: {', '.join(METRICS)}."
        )
    manifest = Manifest(
        dataset=str(state.config.get("dataset", "")),
        metric=metric,
        direction=METRICS[metric],
        hardware=hardware,
        data=state.data,
        software=dict(software or {}),
    )
    seed = int(state.config.get("seed", 0))
    return Recording(
        manifest,
        tuple(
            _curve(state, arm, seed, metric)
            for name, arm in state.arms.items()
            if arm.reports or state.history.arm(name).status == "failed"
        ),
    )


def _curve(state: SearchState, arm: ArmState, seed: int, metric: str) -> Curve:
    sign, name = DIRECTIONS[METRICS[metric]], arm.arm.name
    tested = {arm.test_epoch: arm.test.get(metric)}
    failed = state.history.arm(name).status == "failed"
    return Curve(
        arm=name,
        seed=seed,
        valid=tuple(sign * report.reward for report in arm.reports),
        seconds=tuple(report.seconds for report in arm.reports),
        test=tuple(tested.get(report.epoch) for report in arm.reports),
        settings=asdict(arm.arm.settings),
        parameters=arm.parameters,
        failed=(arm.note or "failed") if failed else None,
    )


def cut_short(events: Iterable[Event]) -> set[str]:
    """Arms that a replay wanted beyond their curve, and for that reason cut."""
    return {e.arm for e in events if isinstance(e, ArmCut) and e.reason == _END}


def trace_of(events: Iterable[Event]) -> Trace:
    """What a search did, live or replayed, from what it logged.

    Seconds count from the first event; the gaps between the processes of a resumed search are
    left out.
    """
    steps: list[Step] = []
    failed: dict[str, int] = {}
    seconds, before = 0.0, None
    for event in events:
        if before is not None and not isinstance(event, SearchResumed):
            seconds += max(0.0, event.time - before)
        before = event.time
        if isinstance(event, ArmFailed):
            failed[event.arm] = len(steps)
        if isinstance(event, PullFinished):
            for report in event.reports:
                spent = len(steps) + 1
                epoch, reward = int(report["epoch"]), float(report["reward"])
                steps.append(Step(spent, event.arm, epoch, reward, seconds))
    return Trace(tuple(steps), failed)
