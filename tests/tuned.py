"""A tuned search that never trained: figures of trials follow from a formula."""

from dataclasses import asdict, replace

import numpy as np

from vaesearch.bandits.core import Budget
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
    SearchStarted,
    TrialKnown,
    TrialRefused,
)
from vaesearch.records import EpochReport
from vaesearch.search.state import fold
from vaesearch.space import Choice, Float, Int, Parameter, Space

SPACE = Space(
    (
        Parameter("latent_dim", Int(2, 32, log=True), 16),
        Parameter("alpha", Float(1e-3, 1.0, log=True)),
        Parameter("learning_rate", Float(3e-4, 1e-2, log=True)),
        Parameter("batch_size", Choice((16, 32, 64)), 32),
        Parameter("posterior", Choice(("gaussian", "planar")), "gaussian"),
        Parameter("posterior.planar.steps", Int(1, 8), 4, {"posterior": ("planar",)}),
    )
)
CAP = 27
GROUP_GAPS = {"mlp": 0.3, "deconv": 0.0, "residual": 0.15}


def losses(values, group, noise):
    """Bits/dim and consistency at the end: the latent size matters most, alpha trades them off."""
    size = np.log2(values["latent_dim"] / 12)
    rate = np.log10(values["learning_rate"] / 2e-3)
    trade = np.log10(values["alpha"])
    bpd = 3 + 0.15 * size**2 + 0.2 * rate**2 + 0.04 * (trade + 3) ** 2 + GROUP_GAPS[group]
    consistency = 0.3 * 10 ** (-0.6 * trade) * (1 + 0.2 * abs(size))
    return bpd + 0.02 * noise[0], consistency * np.exp(0.1 * noise[1])


def reports(end, start, count):
    """Epochs after ``start``."""
    bpd, consistency = end
    found = []
    for epoch in range(start + 1, start + count + 1):
        figures = {"bpd": bpd + 2 / epoch, "consistency": consistency * (1 + 1 / epoch)}
        found.append(EpochReport(epoch, -figures["bpd"], 0.5, figures | {"mse": 0.01}))
    return found


def draw(rng):
    """A point of the space."""
    values = {
        "latent_dim": round(2 ** rng.uniform(1, 5)),
        "alpha": float(10 ** rng.uniform(-3, 0)),
        "learning_rate": float(10 ** rng.uniform(-3.5, -2)),
        "batch_size": int(rng.choice([16, 32, 64])),
        "posterior": str(rng.choice(["gaussian", "planar"])),
    }
    if values["posterior"] == "planar":
        values["posterior.planar.steps"] = int(rng.integers(1, 9))
    return values


def tuned_events(trials=60, objectives=("bpd",), groups=("mlp",), seed=0, finished=True):
    """The ledger of a search by rungs 1, 3, 9 and 27; trial 0 has the defaults."""
    rng = np.random.default_rng(seed)
    config = TuneConfig(
        dataset="digits", backend="local", decoders=",".join(groups), encoders="mlp", width=0.1,
        image_size=8, objective=objectives, seed=7, tracking_uri="none", trials=trials,
    ).resolved(images=1200, channels=1)  # fmt: skip
    config = replace(config, alpha=1e-2)
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in config.to_dict().items()}
    events = [SearchStarted("id", "0.1.0", options, {"train": 1200}, SPACE.to_dict())]
    arms, ends, pulls = {}, {}, 0
    for number in range(trials):
        group = groups[number % len(groups)]
        values = SPACE.defaults(options) if number == 0 else draw(rng)
        if number % 25 == 7:
            events.append(TrialRefused(number, values, group, "parameters: 2e6 is above 1e6"))
            continue
        name = f"{group}-{number:03d}"
        settings = config.settings("mlp", group)
        settings = replace(settings, **SPACE.options(values))
        events.append(
            ArmAdded(name, asdict(settings), 1000 * values["latent_dim"], flops=1e6, trial=number,
                     values=values, group=group)
        )  # fmt: skip
        arms[name] = 0
        ends[name] = losses(values, group, rng.normal(size=2))
        # The rungs that it is promoted to: more of them for a better end.
        rank = sum(ends[name][0] > ends[other][0] for other in arms) / len(arms)
        target = 27 if rank <= 0.04 else 9 if rank < 0.2 else 3 if rank < 0.6 else 1
        events += pulled(pulls, name, reports(ends[name], 0, target))
        pulls += 1
        if number % 20 == 13:
            events.append(ArmFailed(name, "training loss became nan in epoch 2"))
        elif target < 27:
            events.append(ArmCut(name, f"below a third of the arms at epoch {target}"))
    if finished:
        state = fold(events, Budget(cap=CAP))
        best = state.ranking[0]
        for name in state.ranking[:5]:
            shown = state.arms[name].best
            test = {k: 1.01 * v for k, v in shown.metrics.items()}
            test["consistency"] = 1.01 * ends[name][1]
            events.append(ArmAppraised(name, shown.epoch, test))
        events.append(SearchFinished("the budget is spent", best))
    return [replace(event, seq=i, time=1000.0 + i) for i, event in enumerate(events)]


def pulled(number, name, found):
    """The lines of one pull."""
    return [
        DecisionMade(name, len(found), "because", []),
        PullStarted(number, name, 0, len(found), "local"),
        PullFinished(
            number, name, [asdict(r) for r in found],
            {str(r.epoch): f"digest-{r.epoch}" for r in found}, "local",
        ),
    ]  # fmt: skip


def known(number, values, figures, group="mlp"):
    """A trial of an earlier search."""
    return TrialKnown(number, values, group, figures, "runs/first")


def tuned_state(**options):
    """The fold over :func:`tuned_events`."""
    return fold(tuned_events(**options), Budget(cap=CAP))
