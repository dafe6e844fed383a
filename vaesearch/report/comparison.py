"""How policies compare on recorded curves: as a table, as sentences, and as data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from vaesearch.bandits.core import Budget
from vaesearch.report.units import NONE, SCALES, Scale, write_seconds
from vaesearch.search.comparison import ORACLE, UNIFORM
from vaesearch.search.instances import Instance
from vaesearch.search.outcomes import Estimate, Outcome, estimate

_FIGURES = ("validation", "test", "regret", "arm_regret", "within", "saved", "epochs", "seconds")


@dataclass(frozen=True)
class Comparison:
    """What several policies did with one budget on the same curves.

    Attributes:
        source: the run directory, or the file of curves.
        instances: what was replayed: the arms of each recorded seed.
        budget: of each replay, and ``why`` it is that.
        rows: outcomes by policy; the run itself comes first, the oracle last.
        complete_by: the command that would record all arms equally long.
        own: the row of the run itself, which was not replayed; None if there is none.
        remarks: what else a reader has to know about the curves.
    """

    source: str | Path
    instances: tuple[Instance, ...]
    budget: Budget
    why: str
    rows: Mapping[str, tuple[Outcome, ...]]
    complete_by: str
    own: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def scale(self) -> Scale:
        """How the metric of the recording is written."""
        manifest = self.instances[0].recording.manifest
        known = SCALES.get(manifest.metric)
        sign = -1 if manifest.direction == "min" else 1
        if known is not None and known.sign == sign:
            return known
        return Scale(manifest.metric, manifest.metric, "", sign, 4)

    @property
    def cut_short(self) -> dict[str, int]:
        """Arms that some policy wanted beyond their curve, with the last recorded epoch."""
        arms: dict[str, int] = {}
        for outcome in (o for outcomes in self.rows.values() for o in outcomes):
            for arm, epoch in outcome.cut_short.items():
                arms[arm] = min(epoch, arms.get(arm, epoch))
        return arms


def headers(comparison: Comparison) -> tuple[str, ...]:
    """Of the columns of :func:`table`."""
    tested = ("test",) if _tested(comparison) else ()
    return ("policy", "best arm", "epoch", "valid.", *tested, "regret", "to 1 %", "saved", "time")


def table(comparison: Comparison) -> list[tuple[str, ...]]:
    """One line per policy, every cell written out; ``-`` where there is nothing to say."""
    return [_line(comparison, name, rows) for name, rows in comparison.rows.items()]


def starred(name: str, rows: Sequence[Outcome]) -> str:
    """The policy, with a star if it wanted epochs that nobody had trained."""
    return f"{name}*" if any(outcome.cut_short for outcome in rows) else name


def _line(comparison: Comparison, name: str, rows: Sequence[Outcome]) -> tuple[str, ...]:
    digits = comparison.scale.digits
    arm, epoch = _choice(rows)
    tested = (_mean(rows, "test", digits),) if _tested(comparison) else ()
    time = estimate(rows, "seconds")
    return (
        starred(name, rows), arm, epoch, _mean(rows, "validation", digits), *tested,
        _write(estimate(rows, "regret"), digits), _write(estimate(rows, "within"), 0),
        # Uniform allocation is what the others are measured by.
        NONE if name.partition(" ")[0] == UNIFORM else _write(estimate(rows, "saved"), 0),
        f"{write_seconds(time.mean)} s" if time else NONE,
    )  # fmt: skip


def _tested(comparison: Comparison) -> bool:
    return any(o.test is not None for rows in comparison.rows.values() for o in rows)


def _choice(rows: Sequence[Outcome]) -> tuple[str, str]:
    """The arm that was handed out most often, in how many of the searches, and its mean epoch."""
    found = [outcome.found for outcome in rows if outcome.found]
    if not found:
        return NONE, NONE
    arm, count = Counter(step.arm for step in found).most_common(1)[0]
    epoch = fmean(step.epoch for step in found if step.arm == arm)
    share = f" ({count}/{len(rows)})" if count < len(rows) else ""
    return arm + share, f"{epoch:.0f}"


def _mean(rows: Sequence[Outcome], what: str, digits: int) -> str:
    known = estimate(rows, what)
    return NONE if known is None else f"{known.mean:.{digits}f}"


def _write(known: Estimate | None, digits: int) -> str:
    """``31 ± 2``, with ``(8/10)`` behind it where only so many of the searches have a value."""
    if known is None:
        return NONE
    text = f"{known.mean:.{digits}f}"
    if known.error is not None:
        text += f" ± {known.error:.{digits}f}"
    return text if known.count == known.of else f"{text} ({known.count}/{known.of})"


def title(comparison: Comparison) -> str:
    """What was replayed, in a line: ``digits, 5 arms, 100 epochs (as in the run), 2 workers``."""
    budget, first = comparison.budget, comparison.instances[0]
    limits = [f"{budget.epochs} epochs"] if budget.epochs else []
    limits += [f"{budget.seconds:g} s"] if budget.seconds else []
    spend = " or ".join(limits) or "all that was recorded"
    name = Path(first.recording.manifest.dataset).stem or "recorded curves"
    workers = f"{budget.workers} worker" + ("s" if budget.workers > 1 else "")
    parts = [name, f"{len(first.curves)} arms", f"{spend} ({comparison.why})", workers]
    cap = first.budget(budget).cap
    if cap is not None:
        parts.append(f"at most {cap} epochs per arm")
    return ", ".join(parts)


def notes(comparison: Comparison) -> Iterator[str]:
    """What the table means, and how far it can be trusted, a sentence each."""
    yield _about_best(comparison)
    yield (
        "regret: how far the checkpoint is from that. to 1 %: epochs until within 1 % of it. "
        "saved: epochs fewer than training all arms equally, in whole rounds, takes to a "
        "checkpoint as good. oracle: trains the right arm only."
    )
    yield _about_errors(comparison)
    if comparison.own is not None:
        yield (
            f"{comparison.own!r} is what happened, with its real clock; the others are replayed, "
            "each epoch and each pull of an arm taking as long as it did there."
        )
    yield from comparison.remarks
    if short := comparison.cut_short:
        arms = ", ".join(f"{arm} {epoch}" for arm, epoch in sorted(short.items()))
        yield (
            f"* stopped where curves end, for nobody trained on ({arms} epochs). So regrets are "
            "lower bounds: a better epoch may be unseen. And what these policies would have "
            "spent there they spent elsewhere, so they look faster than they are."
        )
        yield f"A complete recording: {comparison.complete_by}"


def _about_best(comparison: Comparison) -> str:
    scale, instances = comparison.scale, comparison.instances
    if len(instances) > 1:
        mean = fmean(scale.sign * instance.best.reward for instance in instances)
        seeds = ", ".join(str(instance.seed) for instance in instances)
        return f"Best recorded, mean of seeds {seeds}: {scale.write(mean)} {scale.unit}."
    best = instances[0].best
    figure = scale.write_reward(best.reward)
    return f"Best recorded: {best.arm}, epoch {best.epoch}: {figure} {scale.unit}."


def _about_errors(comparison: Comparison) -> str:
    count = max(len(rows) for rows in comparison.rows.values())
    if len(comparison.instances) > 1:
        return "±: standard error over recorded seeds, each the mean over policy seeds."
    if count > 1:
        return f"±: standard error over {count} policy seeds; without it, nothing is random."
    if any(
        outcome.policy_seed is not None for rows in comparison.rows.values() for outcome in rows
    ):
        return "One policy seed each; --repeats asks for more."
    return "Nothing in these searches is random."


def to_data(comparison: Comparison) -> dict[str, Any]:
    """The same as plain data for JSON, with every single replay.

    ``best_so_far`` is the validation metric of what would have been handed out after each epoch.
    """
    manifest = comparison.instances[0].recording.manifest
    return {
        "source": str(comparison.source),
        "dataset": manifest.dataset,
        "metric": manifest.metric,
        "direction": manifest.direction,
        "budget": asdict(comparison.budget) | {"why": comparison.why},
        "recorded": [_instance(comparison, instance) for instance in comparison.instances],
        "cut_short": comparison.cut_short,
        "remarks": list(comparison.remarks),
        "complete_by": comparison.complete_by if comparison.cut_short else None,
        "policies": [
            {
                "policy": name,
                "replayed": name not in (comparison.own, ORACLE),
                "mean": {what: _plain(estimate(rows, what)) for what in _FIGURES},
                "searches": [_search(comparison, outcome) for outcome in rows],
            }
            for name, rows in comparison.rows.items()
        ],
    }


def _instance(comparison: Comparison, instance: Instance) -> dict[str, Any]:
    best = instance.best
    return {
        "seed": instance.seed,
        "epochs": {name: len(curve.valid) for name, curve in instance.curves.items()},
        "complete": instance.complete,
        "best_arm": best.arm,
        "best_epoch": best.epoch,
        "best": comparison.scale.sign * best.reward,
    }


def _plain(known: Estimate | None) -> dict[str, Any] | None:
    return asdict(known) if known else None


def _search(comparison: Comparison, outcome: Outcome) -> dict[str, Any]:
    found, sign = outcome.found, comparison.scale.sign
    return {
        "recorded_seed": outcome.instance.seed,
        "policy_seed": outcome.policy_seed,
        "best_arm": found.arm if found else None,
        "best_epoch": found.epoch if found else None,
        **{what: getattr(outcome, what) for what in _FIGURES},
        "allocation": dict(Counter(step.arm for step in outcome.trace.steps)),
        "cut_short": outcome.cut_short,
        "best_so_far": [sign * step.reward if step else None for step in outcome.trace.progress()],
    }
