"""Replays of searches whose arms are proposed while they run, from recorded settings."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vaesearch.bandits.core import Budget, Policy
from vaesearch.bandits.opening import LiveSet, Opener
from vaesearch.events import ArmAdded
from vaesearch.recordings import Recording
from vaesearch.records import EpochReport
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.replays import MemoryLog, trace_of
from vaesearch.search.state import SearchState, fold
from vaesearch.seeding import numpy_generator

Pick = Callable[[SearchState, str], str | None]


@dataclass(frozen=True)
class Settings:
    """Recorded settings, by name of arm: what a sampler may propose.

    Attributes:
        points: of each arm in the unit cube, where samplers look for neighbours.
        groups: of each arm.
    """

    reports: Mapping[str, Sequence[EpochReport]]
    points: Mapping[str, np.ndarray]
    groups: Mapping[str, str]
    failures: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, recording: Recording, decoders: Sequence[str] = ()) -> "Settings":
        """Those of some decoders, or all; each seed of an arm counts as a setting of its own."""
        several = len(recording.seeds) > 1
        curves = {
            f"{curve.arm}#{curve.seed}" if several else curve.arm: curve
            for curve in recording.curves
            if not decoders or curve.settings["decoder"] in decoders
        }
        reports = {
            name: [
                EpochReport(epoch, recording.reward(metric), seconds, {})
                for epoch, (metric, seconds) in enumerate(
                    zip(curve.valid, curve.seconds, strict=True), start=1
                )
            ]
            for name, curve in curves.items()
        }
        return cls(
            reports,
            _points({name: curve.settings for name, curve in curves.items()}),
            {name: str(curve.settings["decoder"]) for name, curve in curves.items()},
            {name: curve.failed for name, curve in curves.items() if curve.failed},
        )

    @property
    def best(self) -> float:
        """The best recorded reward."""
        return max(report.reward for curve in self.reports.values() for report in curve)

    def without(self, left_out: set[str]) -> "Settings":
        """All but some of the arms."""
        kept = [name for name in self.reports if name not in left_out]
        return Settings(
            {name: self.reports[name] for name in kept},
            {name: self.points[name] for name in kept},
            {name: self.groups[name] for name in kept},
            {name: why for name, why in self.failures.items() if name not in left_out},
        )


def _points(settings: Mapping[str, Mapping[str, float]]) -> dict[str, np.ndarray]:
    keys = ("latent_dim", "alpha", "learning_rate", "batch_size", "width")
    table = np.array(
        [[math.log(max(entry[key], 1e-6)) for key in keys] for entry in settings.values()]
    )
    low, high = table.min(axis=0), table.max(axis=0)
    cube = (table - low) / np.maximum(high - low, 1e-12)
    return dict(zip(settings, cube, strict=True))


class Shuffled:
    """Recorded arms in random order: a sampler that learns nothing."""

    def __init__(self, settings: Settings, seed: int) -> None:
        names = sorted(settings.reports)
        self._order = list(numpy_generator(seed, "order").permutation(names))
        self._groups = settings.groups

    def __call__(self, state: SearchState, group: str) -> str | None:
        """The next one of a group."""
        fits = (n for n in self._order if group in ("", self._groups[n]) and n not in state.arms)
        return next((str(name) for name in fits), None)


class Nearest:
    """What is nearest, of the arms not yet taken, to what Optuna's TPE proposes."""

    def __init__(self, settings: Settings, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._settings = settings
        self._seed = seed
        self._optuna = optuna

    def __call__(self, state: SearchState, group: str) -> str | None:
        """The nearest one of a group."""
        left = [
            name
            for name in sorted(self._settings.reports)
            if name not in state.arms and group in ("", self._settings.groups[name])
        ]
        if not left:
            return None
        wanted = self._proposed(state, group)
        gaps = [float(np.sum((self._settings.points[name] - wanted) ** 2)) for name in left]
        return left[int(np.argmin(gaps))]

    def _proposed(self, state: SearchState, group: str) -> np.ndarray:
        optuna = self._optuna
        seed = int(numpy_generator(self._seed, "tpe", len(state.arms)).integers(2**31))
        sampler = optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=seed)
        study = optuna.create_study(sampler=sampler, direction="maximize")
        space = {
            f"x{i}": optuna.distributions.FloatDistribution(0, 1)
            for i in range(len(next(iter(self._settings.points.values()))))
        }
        study.add_trials(
            [
                self._trial(state, name, space)
                for name in state.arms
                if group in ("", self._settings.groups[name])
            ]
        )
        trial = study.ask(space)
        return np.array([trial.params[name] for name in space])

    def _trial(self, state: SearchState, name: str, space: Mapping[str, object]) -> object:
        states = self._optuna.trial.TrialState
        arm, past = state.history.arm(name), state.history.arm(name).rewards
        standing = states.RUNNING if arm.pending or not past else states.PRUNED
        if arm.status == "failed":
            standing = states.FAIL
        elif past and not arm.pending and arm.epochs >= state.history.cap(arm):
            standing = states.COMPLETE
        best = np.maximum.accumulate(past) if past else []
        return self._optuna.trial.create_trial(
            state=standing,
            value=arm.value if standing == states.COMPLETE else None,
            params=dict(zip(space, map(float, self._settings.points[name]), strict=True)),
            distributions=dict(space),
            intermediate_values={epoch: float(v) for epoch, v in enumerate(best, start=1)},
        )


class Recorded:
    """A source of arms that were recorded, as many as the policy has room for."""

    def __init__(
        self, settings: Settings, pick: Pick, policy: Policy, trials: int, seed: int,
        groups: Sequence[str] = ("",), live: int = 5,
    ) -> None:  # fmt: skip
        self._settings, self._pick, self._trials = settings, pick, trials
        self._opener = policy if isinstance(policy, Opener) else LiveSet(live)
        self._groups, self._seed = groups, seed

    def next_arms(self, state: SearchState) -> list[ArmAdded]:
        """One arm, if there is room for it."""
        if len(state.arms) >= self._trials:
            return []
        rng = numpy_generator(self._seed, "opening", len(state.arms), state.history.decisions)
        opening = self._opener.opening(state.history, list(self._groups), rng)
        name = None if opening is None else self._pick(state, opening.group)
        if name is None:
            return []
        settings = {"decoder": self._settings.groups[name] or "mlp"}
        return [ArmAdded(name, settings, 1, group=opening.group)]


def search(
    settings: Settings, policy: Policy, budget: Budget, seed: int, *, sampler: str = "random",
    groups: Sequence[str] = ("",), live: int = 5, pick: Pick | None = None,
) -> tuple[SearchState, list]:  # fmt: skip
    """A whole search; the state at its end, and its steps."""
    backend = ReplayBackend(settings.reports, budget.workers, failures=settings.failures)
    made = pick or {"tpe": Nearest, "random": Shuffled}[sampler](settings, seed)
    trials = budget.trials or len(settings.reports)
    heard: list = []
    controller = Controller(
        MemoryLog(backend), fold([], budget), policy, backend, seed=seed,
        observers=(lambda event, state: heard.append(event),),
        source=Recorded(settings, made, policy, min(trials, len(settings.reports)), seed, groups,
                        live),
    )  # fmt: skip
    controller.run()
    return controller.state, list(trace_of(heard).steps)


def best_so_far(steps: Sequence, epochs: int) -> np.ndarray:
    """The best reward after each epoch of the search, shape (epochs,)."""
    rewards = [step.reward for step in steps[:epochs]]
    rewards += [-math.inf] * (epochs - len(rewards))
    return np.maximum.accumulate(rewards)
