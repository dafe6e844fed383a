"""An account with its log open: what a host's scheduler writes down, and what it is to do next.

Knows no host: a host says how far its trials are and what they reported, and starts, pauses and
stops them so that those in ``account.flights`` run and no others.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields
from math import isfinite
from pathlib import Path
from typing import Any

from vaesearch import __version__
from vaesearch.bandits.core import Budget, History, Policy, leader
from vaesearch.errors import InputError
from vaesearch.events import (
    ArmAdded,
    ArmCut,
    ArmFailed,
    DecisionMade,
    Event,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
)
from vaesearch.integrations.account import advance, decide, fold
from vaesearch.records import EpochReport
from vaesearch.search.ledger import Ledger, read_ledger
from vaesearch.search.state import elapsed_seconds

_JSON = (bool, int, float, str, type(None))


class Book:
    """A search on another program's trials.

    Args:
        path: of the log; made if missing, else gone on with.
        policy: decides.
        budget: of the whole search, over all processes that work on it.
        seed: of the policy's randomness.
        about: what the log is about, such as the metric; must stay as it is.
        trials: those that there are; of a log that is gone on with, one at least must be known.
        clock: Unix time in seconds.

    Raises:
        LedgerError: the log is damaged other than in its last line.
        StorageError: it cannot be written.
        InputError: it is about something else.
    """

    def __init__(
        self,
        path: Path,
        policy: Policy,
        budget: Budget,
        seed: int,
        about: Mapping[str, Any],
        trials: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self._policy, self._budget, self._seed, self._clock = policy, budget, seed, clock
        self._log = Ledger(path, clock=clock)
        events = self._log.events
        self.account = fold(events, budget)
        self._before, self._opened = elapsed_seconds(events), clock()
        self._waiting_at = -1
        if events:
            self._check_same(events[0], about, trials)
            self.record(SearchResumed(__version__))
        else:
            settings = {"policy": repr(policy), "seed": seed, **asdict(budget), **about}
            self.record(SearchStarted(path.parent.name, __version__, settings, {}))

    def _check_same(self, first: Event, about: Mapping[str, Any], trials: Collection[str]) -> None:
        """Before anything is written to it."""
        was = first.config if isinstance(first, SearchStarted) else {}
        differ = [f"{k} {was.get(k)!r}, not {v!r}" for k, v in about.items() if was.get(k) != v]
        if known := self.account.trials.values():
            differ += ["other trials"] * (not set(known) & set(trials))
        if differ:
            self.close()
            raise InputError(
                f"{self.path} is about {'; '.join(differ)}: restore that experiment, or give this "
                "one another name, folder or log."
            )

    @property
    def elapsed(self) -> float:
        """Seconds that processes have worked on the search, this one included."""
        return self._before + self._clock() - self._opened

    def is_open(self, name: str) -> bool:
        """Whether the arm may still get epochs."""
        return not self.account.finished and self.account.history.arm(name).status == "open"

    def record(self, event: Event, *, sync: bool = True) -> None:
        """Write ``event`` and let the account follow."""
        self.account = advance(self.account, self._log.append(event, sync=sync))

    def add(self, name: str, trial: str, config: Mapping[str, Any]) -> None:
        """Let an arm join.

        Raises:
            InputError: another trial has that name.
        """
        known = self.account.trials.get(name)
        if known is None:
            plain = {k: v if isinstance(v, _JSON) else repr(v) for k, v in config.items()}
            self.record(ArmAdded(name, {"trial_id": trial, "config": plain}, 0))
        elif known != trial:
            raise InputError(
                f"{self.path} knows {name!r} as trial {known}, not {trial}: two configurations "
                "have the same key, or the trial was started over."
            )

    def completes_pull(self, name: str) -> bool:
        """Whether the next epoch of the arm is the last one that it was given."""
        flight = self.account.flights.get(name)
        return flight is None or (len(flight.rewards) + 1 == flight.epochs and not flight.again)

    def take(self, name: str, report: EpochReport) -> bool:
        """Write down an epoch; False if the arm has failed by it."""
        flight = self.account.flights.get(name)
        due = self.account.expected(name)
        if flight and report.epoch != due:
            cause = f"reported epoch {report.epoch} where {due} was due"
        elif not isfinite(report.reward):
            cause = f"epoch {report.epoch} has {report.metrics}"
        else:
            pull = flight.pull if flight else -1  # an epoch that nobody asked for
            trial = self.account.trials[name]
            self.record(PullFinished(pull, name, [asdict(report)], {}, trial))
            return True
        self.record(ArmFailed(name, cause))
        return False

    def plan(self, standing: Mapping[str, int], *, more_to_come: bool) -> None:
        """Ask the policy until all workers are busy or it waits; end the search if it is over.

        Args:
            standing: the epoch from which each trial that can go on would do so.
            more_to_come: further arms may join.
        """
        while len(self.account.flights) < self._budget.workers and not self.account.finished:
            if self._waiting_at == len(self._log.events):
                return  # the policy chose to wait, and nothing has happened since
            step = decide(self.account, self._policy, standing, self.elapsed, self._seed)
            if isinstance(step, str):
                if not self.account.flights:
                    self._end(step, more_to_come)
                return
            # One that is in flight is cut when it is back: the policy will say so again.
            for name in step.cut.keys() - self.account.flights.keys():
                self.record(ArmCut(name, step.cut[name]), sync=False)
            if step.arm is None:
                if not self.account.flights:
                    self._finish(step.reason)
                self._waiting_at = len(self._log.events)
                return
            self._start(step.arm, step.epochs, step.reason, step.values, standing[step.arm])

    def _start(
        self, name: str, epochs: int, reason: str, values: dict[str, float], start: int
    ) -> None:
        history, pending = self.account.history, sorted(self.account.flights)
        behind = history.arm(name).epochs - start
        trial = self.account.trials[name]
        self.record(DecisionMade(name, epochs, reason, pending, values), sync=False)
        self.record(PullStarted(history.decisions, name, start, epochs + behind, trial))

    def _end(self, reason: str, more_to_come: bool) -> None:
        """Finish, or where arms and budget are still to come make room for them."""
        if not more_to_come or reason.startswith("the budget"):
            self._finish(reason)
            return
        for arm in self.account.history.arms:
            if arm.status == "open":
                self.record(ArmCut(arm.name, reason))

    def _finish(self, reason: str) -> None:
        best = leader(self.account.history.arms)
        self.record(SearchFinished(reason, best.name if best else None))

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def read_history(path: Path) -> History:
    """The curves in a log, which may be in use.

    Raises:
        LedgerError: there is no log there, or it is damaged.
    """
    events = read_ledger(path)
    settings = next((e.config for e in events if isinstance(e, SearchStarted)), {})
    names = {f.name for f in fields(Budget)}
    budget = Budget(**{k: v for k, v in settings.items() if k in names})
    return fold(events, budget).history
