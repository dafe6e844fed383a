"""The books of a search whose trials another program trains: a pure fold over a log of its own.

Such a program may train an epoch twice (a trial that goes back to an older checkpoint) or lose one
(a crash in mid-epoch). So that a budget means what it says, **an epoch that was begun is paid
for**, whether or not it came back, and an epoch that was trained twice is paid for twice.

The log is a :class:`~vaesearch.search.ledger.Ledger` with the kinds of line that a search of ours
writes. Unlike there, ``pull_finished`` is written once per epoch, because the epochs of a pull
arrive one by one here and those that did must survive a crash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from vaesearch.bandits.core import Budget, Decision, History, Policy, Status
from vaesearch.events import (
    ArmAdded,
    ArmCut,
    ArmFailed,
    DecisionMade,
    Event,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
)
from vaesearch.search.asking import ask
from vaesearch.seeding import numpy_generator


@dataclass(frozen=True)
class Flight:
    """A pull that is not complete.

    Attributes:
        pull: its number.
        epochs: new epochs that were asked for.
        again: epochs to be trained a second time first, because the trial is behind its curve.
        rewards, seconds: of the new epochs that have come back.
    """

    pull: int
    epochs: int
    again: int = 0
    rewards: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Account:
    """What follows from the log.

    Attributes:
        history: the arms' curves; pulls that are not complete are pending in it.
        flights: the pulls that are not complete, by arm.
        lost: epochs that were paid for and are on no curve: repeated ones, and those that were
            begun and never came back.
        trials: the trial behind each arm, by name of the arm.
        notes: why an arm was cut or failed.
        finished: how the search ended.
    """

    history: History
    flights: dict[str, Flight] = field(default_factory=dict)
    lost: int = 0
    trials: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    finished: SearchFinished | None = None

    @property
    def spent(self) -> int:
        """Epochs paid for; never more than the budget."""
        return self.history.spent + self.lost + sum(len(f.rewards) for f in self.flights.values())

    def expected(self, name: str) -> int:
        """The epoch that ``name`` has to report next."""
        epochs, flight = self.history.arm(name).epochs, self.flights.get(name)
        return epochs + 1 + (len(flight.rewards) - flight.again if flight else 0)


def fold(events: Iterable[Event], budget: Budget) -> Account:
    """The account after ``events``, under ``budget``."""
    return reduce(advance, events, Account(History(budget)))


def advance(account: Account, event: Event) -> Account:
    """The account after one more event."""
    match event:
        case SearchResumed():
            # Whatever was in flight had an epoch begun, which may even have been finished.
            interrupted = reduce(lambda a, name: _settled(a, name, 1), account.flights, account)
            return replace(interrupted, finished=None)
        case ArmAdded():
            return replace(
                account,
                history=account.history.added(event.arm, event.limit),
                trials=account.trials | {event.arm: event.settings["trial_id"]},
            )
        case DecisionMade():
            flight = Flight(account.history.decisions, event.epochs)
            return replace(
                account,
                history=account.history.started(event.arm, event.epochs),
                flights=account.flights | {event.arm: flight},
            )
        case PullStarted():
            behind = max(0, account.history.arm(event.arm).epochs - event.from_epoch)
            flight = replace(account.flights[event.arm], again=behind)
            return replace(account, flights=account.flights | {event.arm: flight})
        case PullFinished():
            return reduce(lambda a, r: _reported(a, event.arm, r), event.reports, account)
        case PullFailed():
            return _settled(account, event.arm, 1)
        case ArmFailed():
            return _closed(_settled(account, event.arm, 1), event.arm, "failed", event.cause)
        case ArmCut():
            return _closed(_settled(account, event.arm, 0), event.arm, "cut", event.reason)
        case SearchFinished():
            return replace(account, finished=event)
        case _:
            return account


def _settled(account: Account, name: str, begun: int) -> Account:
    """Without the flight of ``name``, if there is one: what came back counts, the rest is free.

    ``begun`` epochs of it are lost.
    """
    flight = account.flights.get(name)
    if flight is None:
        return account
    return replace(
        account,
        history=account.history.observed(name, flight.rewards, flight.seconds),
        flights={k: f for k, f in account.flights.items() if k != name},
        lost=account.lost + begun,
    )


def _closed(account: Account, name: str, status: Status, note: str) -> Account:
    return replace(
        account,
        history=account.history.closed(name, status),
        notes=account.notes | {name: note},
    )


def _reported(account: Account, name: str, report: Mapping[str, Any]) -> Account:
    flight = account.flights.get(name)
    if report["epoch"] != account.history.arm(name).epochs + 1 + len(
        flight.rewards if flight else ()
    ):
        owed = {name: replace(flight, again=flight.again - 1)} if flight and flight.again else {}
        return replace(account, lost=account.lost + 1, flights=account.flights | owed)
    rewards, seconds = (float(report["reward"]),), (float(report["seconds"]),)
    if flight is None:
        history = account.history.observed(name, rewards, seconds)
        return replace(account, history=history)
    flight = replace(flight, rewards=flight.rewards + rewards, seconds=flight.seconds + seconds)
    account = replace(account, flights=account.flights | {name: flight})
    return account if len(flight.rewards) < flight.epochs else _settled(account, name, 0)


def view(account: Account, standing: Mapping[str, int], elapsed: float) -> History:
    """The history as a policy is to see it: what is lost is no longer in the budget.

    Args:
        account: the books.
        standing: the epoch from which each arm's trial would go on; an arm without one cannot.
        elapsed: seconds so far.
    """
    history = account.history.at(elapsed)
    if history.budget.epochs is not None:
        owed = account.lost + sum(flight.again for flight in account.flights.values())
        budget = replace(history.budget, epochs=history.budget.epochs - owed)
        history = replace(history, budget=budget)
    left = history.epochs_left
    for arm in history.arms:
        within_reach = arm.epochs - standing.get(arm.name, arm.epochs) < left
        if (
            arm.status == "open"
            and not arm.pending
            and not (arm.name in standing and within_reach)
        ):
            history = history.closed(arm.name, "cut")
    return history


def decide(
    account: Account, policy: Policy, standing: Mapping[str, int], elapsed: float, seed: int
) -> Decision | str:
    """The next decision, its epochs within budget and cap, or why there can be none.

    Raises:
        PolicyError: the policy failed, or decided what cannot be done.
    """
    history = view(account, standing, elapsed)
    if history.epochs_left < 1:
        return f"the budget of {account.history.budget.epochs} epochs is spent"
    if history.seconds_left <= 0:
        return f"the budget of {history.budget.seconds:g} seconds is spent"
    if not history.candidates:
        return "no arm may have another epoch"
    decision = ask(policy, history, numpy_generator(seed, "decision", history.decisions))
    if decision.arm is None:
        return decision
    chosen = history.arm(decision.arm)
    behind = max(0, chosen.epochs - standing[chosen.name])
    room = (history.epochs_left - behind, history.cap(chosen) - chosen.epochs)
    return replace(decision, epochs=int(max(1, min(decision.epochs, *room))))
