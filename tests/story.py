"""A tuned search told event by event, without a controller: for what watches searches."""

import json
from dataclasses import asdict, replace

from vaesearch.bandits.core import Budget, History
from vaesearch.config import TuneConfig
from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
    TrialKnown,
    TrialRefused,
)
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import SearchState, advance
from vaesearch.space import Choice, Float, Int, Parameter, Space

SPACE = Space(
    (
        Parameter("latent_dim", Int(2, 64, log=True)),
        Parameter("alpha", Float(0.001, 1.0, log=True)),
        Parameter("posterior", Choice(("gaussian", "planar"))),
    )
)
START = 1_700_000_000.0


class Story:
    """Events, and the state after them; every event takes one second."""

    def __init__(self, search_id="0123456789abcdef", cap=8, told=None, **options):
        self.budget = Budget(epochs=100, cap=cap, trials=100)
        self.state = SearchState(history=History(self.budget))
        self.events = []
        self.watchers = [told] if told else []
        options = {"dataset": "digits", "study": f"digits-{search_id[:8]}"} | options
        self.config = TuneConfig(**options)
        plain = json.loads(json.dumps(self.config.to_dict()))
        self.tell(SearchStarted(search_id, "0.1.0", plain, {}, SPACE.to_dict()))

    def tell(self, event):
        event = replace(event, seq=len(self.events), time=START + len(self.events))
        self.events.append(event)
        self.state = advance(self.state, event)
        for watch in self.watchers:
            watch(event, self.state)
        return self

    def add(self, group="mlp", again=None, **values):
        number = self.state.trials
        values = {"latent_dim": 2 + number, "alpha": 0.5, "posterior": "gaussian"} | values
        settings = asdict(TrialSettings(decoder="mlp"))
        name = f"trial-{number:03d}"
        return self.tell(
            ArmAdded(name, settings, 1000, trial=number, values=values, group=group, again=again)
        )

    def refuse(self, reason="too large", **excess):
        values = {"latent_dim": 64, "alpha": 0.5, "posterior": "planar"}
        return self.tell(TrialRefused(self.state.trials, values, "mlp", reason, excess))

    def know(self, source="runs/before", **figures):
        values = {"latent_dim": 9, "alpha": 0.25, "posterior": "gaussian"}
        return self.tell(TrialKnown(self.state.trials, values, "mlp", figures, source))

    def decide(self, number, epochs=1):
        return self.tell(DecisionMade(f"trial-{number:03d}", epochs, "because", []))

    def pull(self, number, *bpd, decided=False):
        """Epochs with these figures."""
        if not decided:
            self.decide(number, len(bpd))
        name = f"trial-{number:03d}"
        [flight] = [f for f in self.state.flights.values() if f.arm == name]
        self.tell(PullStarted(flight.pull, name, flight.from_epoch, flight.epochs, "w"))
        reports = [
            asdict(EpochReport(flight.from_epoch + 1 + i, -b, 0.5, {"bpd": b, "kl": 10 - b}))
            for i, b in enumerate(bpd)
        ]
        return self.tell(PullFinished(flight.pull, name, reports, {}, "w"))

    def cut(self, number, reason="behind"):
        return self.tell(ArmCut(f"trial-{number:03d}", reason))

    def fail(self, number, cause="loss is NaN"):
        return self.tell(ArmFailed(f"trial-{number:03d}", cause))

    def appraise(self, number, **figures):
        best = self.state.arms[f"trial-{number:03d}"].best
        return self.tell(ArmAppraised(f"trial-{number:03d}", best.epoch, figures))

    def finish(self, best=None):
        name = None if best is None else f"trial-{best:03d}"
        return self.tell(SearchFinished("the budget is spent", name))

    def resume(self, **changes):
        return self.tell(SearchResumed("0.1.0", changes))

    def example(self):
        """One of each fate: at its cap, cut, refused, known, failed, open."""
        self.add().pull(0, 5.0, 4.0, 4.5).add(posterior="planar").pull(1, 6.0)
        self.refuse(parameters=0.5).know(bpd=4.2).add().pull(4, 7.0).fail(4)
        self.pull(0, 3.9, 3.8, 3.7, 3.6, 3.65).cut(1).add("deconv").pull(5, 5.5)
        return self

    def ended(self):
        return self.appraise(0, bpd=3.7).appraise(1, bpd=6.1).appraise(5, bpd=5.6).finish(0)
