"""Counters and gauges through Ray's own metric API: on the metrics port of the driver's node.

Names get the prefix ``ray_`` there, and counters an end: ``ray_vaesearch_epochs_total``.
A search that was resumed counts from zero again, as counters of a new process do.
"""

from collections.abc import Callable
from typing import Any

from ray.util.metrics import Counter, Gauge

from vaesearch.events import ArmFailed, Event, PullFailed, PullFinished, WorkerLost
from vaesearch.search.state import SearchState

_SEARCH = ("search",)
_ARM = ("search", "arm")


class Metrics:
    """An observer of the search; where Ray refuses a figure, it goes on without.

    Args:
        reward: what the reward is measured in, for the description.
        wanted: how many workers are asked for.
        note: told once, if figures cannot be given.
    """

    def __init__(
        self, reward: str, wanted: Callable[[], int], note: Callable[[str], None]
    ) -> None:
        self._wanted = wanted
        self._note = note
        self._works = True
        self._reward = reward
        self._made: dict[str, Any] = {}

    def __call__(self, event: Event, state: SearchState) -> None:
        """Count ``event`` and show the state after it."""
        if not self._works:
            return
        try:
            self._count(event, state.search_id)
            self._show(event, state)
        # Figures for people must not end a search, whatever Ray's agent is up to.
        except Exception as error:
            self._works = False
            self._note(f"no more metrics through Ray: {type(error).__name__}: {error}")

    def _count(self, event: Event, search: str) -> None:
        match event:
            case PullFinished(arm=arm, reports=reports):
                tags = {"search": search, "arm": arm}
                self._counter("epochs", "finished epochs", _ARM).inc(len(reports), tags)
                self._counter("pulls_finished", "pulls that came back", _ARM).inc(1, tags)
            case PullFailed(arm=arm):
                failed = self._counter("pulls_failed", "pulls that came to nothing", _ARM)
                failed.inc(1, {"search": search, "arm": arm})
            case ArmFailed():
                failed = self._counter("arms_failed", "arms given up after failures", _SEARCH)
                failed.inc(1, {"search": search})
            case WorkerLost():
                lost = self._counter("workers_lost", "workers that died or hung", _SEARCH)
                lost.inc(1, {"search": search})

    def _show(self, event: Event, state: SearchState) -> None:
        tags = {"search": state.search_id}
        figures = {
            "pulls_in_flight": ("pulls being trained", len(state.flights)),
            "workers_up": ("workers that are up", len(state.workers)),
            "workers_wanted": ("workers that could be of use", self._wanted()),
            "arms_open": (
                "arms that may be trained",
                sum(arm.status == "open" for arm in state.history.arms),
            ),
        }
        left = state.history.epochs_left
        if left != float("inf"):
            figures["epochs_left"] = ("epochs not given out yet", int(left))
        for name, (text, value) in figures.items():
            self._gauge(name, text, _SEARCH).set(value, tags)
        if isinstance(event, PullFinished) and (best := state.arms[event.arm].best):
            gauge = self._gauge("best_reward", f"best validation reward, {self._reward}", _ARM)
            gauge.set(best.reward, tags | {"arm": event.arm})

    def _counter(self, name: str, text: str, tags: tuple[str, ...]) -> Any:
        return self._one(Counter, name, text, tags)

    def _gauge(self, name: str, text: str, tags: tuple[str, ...]) -> Any:
        return self._one(Gauge, name, text, tags)

    def _one(self, kind: Any, name: str, text: str, tags: tuple[str, ...]) -> Any:
        if name not in self._made:
            self._made[name] = kind(f"vaesearch_{name}", description=text, tag_keys=tags)
        return self._made[name]
