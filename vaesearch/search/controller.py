"""The event loop: policy decision -> ledger -> dispatch -> report -> ledger.

Every step is written to the ledger before it is acted on, and every result after it is durable.
The state is only ever what the ledger says, so a search that is killed at any moment goes on from
its ledger as if nothing had happened, but for the pulls that were in flight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from vaesearch.bandits.chunks import pull_epochs
from vaesearch.bandits.core import History, Policy
from vaesearch.events import ArmCut, DecisionMade, Event, PullStarted
from vaesearch.records import PullReport, PullRequest
from vaesearch.search.arms import ArmSource, Closing, newcomers
from vaesearch.search.asking import ask
from vaesearch.search.backends.base import Backend, Finished, Joined, Left, Outcome
from vaesearch.search.demand import demand
from vaesearch.search.settling import Misfortunes, failure_lines, success_lines
from vaesearch.search.staff import staff_line, with_workers
from vaesearch.search.state import Flight, SearchState, advance
from vaesearch.search.stopping import StopRule, stop_rule
from vaesearch.seeding import numpy_generator

WAIT_SECONDS = 1.0

Observer = Callable[[Event, SearchState], None]
View = Callable[[History, SearchState], History]


class EventLog(Protocol):
    """Where events go: a :class:`~vaesearch.search.ledger.Ledger`, or a list in memory."""

    def append(self, event: Event, *, sync: bool = True) -> Event:
        """Keep ``event``; returns it numbered and time-stamped, durable if ``sync``."""
        ...


class Controller:
    """Runs one search to the end of its budget.

    Args:
        log: what was logged before is in ``state`` already.
        state: the fold over the log so far.
        policy: decides.
        backend: carries out.
        seed: of the search; the k-th decision draws from its own stream.
        elapsed: seconds that earlier processes spent on this search.
        observers: called after every event with the event and the state after it.
        prune: told, per arm, which epochs' checkpoints are still needed, by digest.
        source: of arms that join during the search.
        chunk: least epochs per pull; see :func:`~vaesearch.bandits.chunks.pull_epochs`.
        stop: a reason to start nothing more, or None; asked before each decision.
        view: the history as the policy is to see it, such as with one reward made of several
            objectives.
    """

    def __init__(
        self,
        log: EventLog,
        state: SearchState,
        policy: Policy,
        backend: Backend,
        *,
        seed: int,
        elapsed: float = 0.0,
        observers: Sequence[Observer] = (),
        prune: Callable[[str, Mapping[int, str]], None] = lambda arm, keep: None,
        source: ArmSource | None = None,
        chunk: int = 1,
        stop: StopRule | None = None,
        view: View = lambda history, state: history,
    ) -> None:
        self.state = state
        self._log = log
        self._policy = policy
        self._backend = backend
        self._seed = seed
        self._began = backend.now() - elapsed
        self._observers = observers
        self._prune = prune
        self._source = source
        self._chunk = chunk
        self._stop = stop or stop_rule(None)
        self._view = view
        self._dispatched: set[int] = set()
        self._untidy = set(state.arms)
        self._last_worker: dict[str, str] = {}
        self._warm: set[str] = set()  # workers that have carried a pull out
        self._workers = backend.workers
        self._misfortunes = Misfortunes()

    def record(self, event: Event, *, sync: bool = True) -> None:
        """Log ``event`` and let the state and the observers follow."""
        written = self._log.append(event, sync=sync)
        self.state = advance(self.state, written)
        for observer in self._observers:
            observer(written, self.state)

    def run(self) -> str:
        """Spend the budget; returns the reason why the search ended.

        Raises:
            PolicyError: the policy failed or decided what is not allowed; nothing of that is in
                the log, and the search can be resumed.
            StorageError: the disk is full; the search can be resumed.
            VaesearchError: no worker is left.
        """
        self._hear(0.0)  # who came up before the search began
        while True:
            self._staff()
            ended = self._dispatch()
            self._tidy()
            # Without an idle worker nothing was asked: one may come back, or another come.
            if ended is None and not self.state.flights:
                ended = self._too_late()
            if ended is not None and not self.state.flights:
                return ended or "nothing is left to train"
            self._hear(WAIT_SECONDS)

    def _hear(self, seconds: float) -> None:
        for outcome in self._backend.wait(seconds):
            self._settle(outcome)

    def _staff(self) -> None:
        """Tell the backend how many workers are of use, and the policies how many there are."""
        self._backend.want(demand(self._state_now(), chunk=self._chunk, source=self._source))
        if self._backend.workers != self._workers:
            self._workers = self._backend.workers
            self.state = with_workers(self.state, self._workers)

    def _too_late(self) -> str | None:
        """That time is up, which needs no worker to be known."""
        history = self._state_now().history
        return exhausted(history) if history.seconds_left <= 0 else None

    def _state_now(self) -> SearchState:
        """The state on the clock of now, where that matters."""
        if self.state.history.budget.seconds is None:
            return self.state
        return replace(self.state, history=self.state.history.at(self._elapsed()))

    # --- deciding ---

    def _dispatch(self) -> str | None:
        """Give idle workers something to do; the reason if there is nothing and never will be."""
        for flight in list(self.state.flights.values()):
            if flight.pull not in self._dispatched and self._backend.idle():
                self._start(flight)
        while self._backend.idle():
            ended = self._decide()
            if ended is not None:
                return ended
            self._start(self.state.flights[self.state.pulls - 1])
        return None

    def _decide(self) -> str | None:
        """Ask the policy and log its decision; the reason if there is nothing to decide."""
        self._let_arms_join()
        history = self._view(self.state.history.at(self._elapsed()), self.state)
        ended = exhausted(history) or self._stop(history)
        if ended is not None:
            return self._with_reason_of_source(ended)
        rng = numpy_generator(self._seed, "decision", history.decisions)
        decision = ask(self._policy, history, rng)
        for arm, reason in decision.cut.items():
            self.record(ArmCut(arm, reason), sync=False)
        if decision.arm is None:
            if decision.cut and self._source is not None and not self.state.flights:
                return self._decide()  # others may join in the place of those
            return self._with_reason_of_source(decision.reason)
        epochs = pull_epochs(history, history.arm(decision.arm), decision.epochs, self._chunk)
        pending = sorted(flight.arm for flight in self.state.flights.values())
        self.record(
            DecisionMade(decision.arm, epochs, decision.reason, pending, decision.values),
            sync=False,
        )
        return None

    def _let_arms_join(self) -> None:
        if self._source is not None and self.state.history.epochs_left >= 1:
            now = replace(self.state, history=self.state.history.at(self._elapsed()))
            for event in newcomers(self._source, now):
                self.record(event, sync=False)

    def _with_reason_of_source(self, ended: str) -> str:
        """Why nothing can be decided, and why no other arm can join, if that is why."""
        if not isinstance(self._source, Closing) or self.state.history.epochs_left < 1:
            return ended
        closed = self._source.closed(self.state)
        if closed is None:
            return ended
        return f"{closed}; {ended}" if self.state.arms else closed

    def _elapsed(self) -> float:
        return self._backend.now() - self._began

    # --- dispatching ---

    def _start(self, flight: Flight) -> None:
        """Log and send a pull, to the worker that had the arm last if it is free."""
        idle = self._backend.idle()
        last = self._last_worker.get(flight.arm)
        worker = last if last is not None and last in idle else idle[0]
        attempt = self.state.failures.get(flight.pull, 0) + 1
        self.record(
            PullStarted(flight.pull, flight.arm, flight.from_epoch, flight.epochs, worker, attempt)
        )
        self._dispatched.add(flight.pull)
        self._last_worker[flight.arm] = worker
        self._backend.submit(self._request(flight), worker)

    def _request(self, flight: Flight) -> PullRequest:
        arm = self.state.arms[flight.arm]
        budget = self.state.history.budget
        return PullRequest(
            flight.pull,
            arm.arm,
            flight.from_epoch,
            flight.epochs,
            digest=arm.checkpoints.get(flight.from_epoch),
            best_reward=arm.best.reward if arm.best else None,
            seconds_left=budget.seconds and max(0.0, budget.seconds - self._elapsed()),
        )

    # --- settling ---

    def _settle(self, outcome: Outcome) -> None:
        if staff := staff_line(outcome):
            self._warm.discard(outcome.worker)
            self.record(staff)
        if isinstance(outcome, Joined | Left) or outcome.job is None:
            return
        job = outcome.job
        if not isinstance(job, PullRequest):
            raise TypeError(f"unexpected {type(job).__name__}")
        self._dispatched.discard(job.pull)
        if isinstance(outcome, Finished):
            self._finished(job, outcome)
            return
        for line in failure_lines(self.state, job, outcome, self._misfortunes):
            self.record(line)

    def _finished(self, job: PullRequest, outcome: Finished) -> None:
        for line in success_lines(job, outcome, warm=outcome.worker in self._warm):
            self.record(line)
        self._warm.add(outcome.worker)
        self._misfortunes.over(job.pull)
        self._untidy.add(job.arm.name)
        report = outcome.result
        if isinstance(report, PullReport) and not report.epochs and not report.diverged:
            self._refuse_standstill(job.arm.name)

    def _refuse_standstill(self, name: str) -> None:
        """Cut an arm whose pull brought nothing though there was time, or it would for ever."""
        history = self.state.history.at(self._elapsed())
        in_time = history.seconds_left > 0.01 * (history.budget.seconds or 0.0)
        if in_time and history.arm(name).status == "open":
            self.record(ArmCut(name, "its pull came back without an epoch"))

    def _tidy(self) -> None:
        """Drop checkpoints that no line of the ledger leads back to, while the workers work."""
        for name in self._untidy:
            arm = self.state.arms[name]
            if arm.best:
                self._prune(name, arm.checkpoints)
        self._untidy.clear()


def exhausted(history: History) -> str | None:
    """Why no arm can be pulled any more; None while one can."""
    if history.epochs_left < 1:
        return f"the budget of {history.budget.epochs} epochs is spent"
    if history.seconds_left <= 0:
        return f"the budget of {history.budget.seconds:g} seconds is spent"
    if history.candidates:
        return None
    if all(a.status == "failed" for a in history.arms):
        return "every arm failed"
    idle = [a for a in history.arms if a.status == "open" and not a.pending]
    if any(a.epochs < history.cap(a) for a in idle):
        left, total = history.seconds_left, history.budget.seconds
        return f"{left:.3g} of {total:g} seconds are left, too few for another epoch of any arm"
    return "no arm may have another epoch"
