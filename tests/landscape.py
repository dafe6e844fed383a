"""A search that is tuned, on a landscape that costs nothing: curves follow from the settings."""

import math

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import TuneConfig
from vaesearch.events import ArmAdded, DecisionMade, SearchResumed, SearchStarted, TrialRefused
from vaesearch.records import EpochReport
from vaesearch.search.arms import opening_line
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.state import fold
from vaesearch.search.tuning.constraints import parse_constraints
from vaesearch.search.tuning.proposals import Proposer
from vaesearch.search.tuning.source import Admission, First, TrialSource
from vaesearch.search.tuning.views import make_view
from vaesearch.space import Choice, Float, Int, Parameter, Space

SPACE = Space(
    (
        Parameter("learning_rate", Float(1e-4, 1e-1, log=True)),
        Parameter("latent_dim", Int(2, 64, log=True)),
        Parameter("batch_size", Choice((16, 32, 64))),
    )
)
SMALL = Space((Parameter("latent_dim", Choice((2, 4, 8))), Parameter("batch_size", Int(1, 3))))


class Log:
    """A ledger in memory."""

    def __init__(self, events=()):
        self.events = list(events)

    def append(self, event, *, sync=True):
        from dataclasses import replace

        self.events.append(replace(event, seq=len(self.events), time=float(len(self.events))))
        return self.events[-1]


def worth(settings):
    """The final reward: best at a rate of 3e-3 and 16 latents; decoders differ by an offset."""
    rate = math.log10(settings.learning_rate / 3e-3)
    size = math.log2(settings.latent_dim / 16)
    return -4.0 - 0.5 * rate**2 - 0.05 * size**2 - 0.3 * (settings.decoder == "deconv")


def curve(settings, epochs=30):
    """An exponential curve, faster with a higher rate, that also depends on the batch size."""
    pace = 2 + 30 / settings.batch_size + 1e-3 / settings.learning_rate
    rewards = [worth(settings) - 2 * math.exp(-n / pace) for n in range(1, epochs + 1)]
    return [
        EpochReport(n, r, 1.0, {"bpd": -r, "consistency": settings.latent_dim * 0.1 - r})
        for n, r in enumerate(rewards, start=1)
    ]


class Landscape(ReplayBackend):
    """Plays curves back that follow from settings."""

    def __init__(self, workers=1, epochs=30):
        super().__init__({"": [EpochReport(1, 0.0, 1.0, {})]}, workers)
        self._epochs = epochs

    def submit(self, job, worker):
        self._curves[job.arm.name] = curve(job.arm.settings, self._epochs)
        super().submit(job, worker)


def config_of(**options):
    plain = {
        "decoders": "mlp", "encoders": "mlp", "trials": 12, "epochs": 60, "policy": "asha",
        "max_epochs_per_arm": 12, "backend": "local",
    }  # fmt: skip
    return TuneConfig(**plain | options).resolved(images=1000, channels=1)


def admit(arm):
    return opening_line(arm, arm.settings.latent_dim * 1000, 1e6)


def source_of(config, space, events=(), first=None, opener=None, **admission):
    proposer = Proposer(space, config.sampler, config.seed, config.objective, config.reward)
    policy = opener or catalogue.build("policies", config.policy)
    rules = Admission(**{"admit": admit, "constraints": parse_constraints(config.constraint)}
                      | admission)  # fmt: skip
    return TrialSource(config, proposer, policy, rules, first or First(), events)


def go_on(
    config, space, events=(), *, workers=1, first=None, backend=None, policy=None, **admission
):
    """Run a search to its end, from where ``events`` are; returns its log and why it ended."""
    log = Log(events)
    cap = config.max_epochs_per_arm
    budget = Budget(config.epochs, None, cap, workers, config.trials)
    backend = backend or Landscape(workers)
    source = source_of(config, space, events, first, **admission)
    controller = Controller(
        log, fold(events, budget), policy or catalogue.build("policies", config.policy), backend,
        seed=config.seed, source=source, chunk=config.chunk, view=make_view(config.objective),
    )  # fmt: skip
    opening = SearchResumed("0") if events else SearchStarted("id", "0", config.to_dict(), {})
    controller.record(opening)
    return log, controller.run()


def told_of(log):
    """What has to be the same however often a search was interrupted."""
    trials = [
        (type(e).__name__, e.trial, e.group, e.values, getattr(e, "again", None))
        for e in log.events
        if isinstance(e, (ArmAdded, TrialRefused))
    ]
    return trials, [(e.arm, e.epochs) for e in log.events if isinstance(e, DecisionMade)]
