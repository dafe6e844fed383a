"""How the status of a run looks on a terminal."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vaesearch.cli.live import FRAME, arms_table, shown
from vaesearch.report.units import SCALES, one_line, write_clock, write_seconds
from vaesearch.watching import Look, Status
from vaesearch.watching.status import ArmStatus, Upload, WorkerStatus
from vaesearch.watching.troubles import Troubles

STYLES = {
    "finished": "bold green", "running": "bold green", "failed": "bold red",
    "stopped": "bold yellow", "silent": "bold yellow", "waiting": "bold yellow",
}  # fmt: skip
MOST_WORKERS = 12  # lines; a large cluster has more than anyone reads
MOST_ARMS = 20
BELOW = 8  # lines under the table


def render(found: Look, console: Console) -> RenderableType:
    """Everything, in as many lines as the terminal has where it has few."""
    status = found.status
    parts: list[RenderableType] = [_first(status)]
    if status.kind != "search" or not status.arms:
        return Group(*parts, *map(Text, _cure(status)))
    parts.append(Text(spending(status)))
    parts += [Text(), *_arms(found, console), Text()]
    parts += [Text(line) for line in _workers(status)]
    if status.last_decision:
        arm, reason = status.last_decision["arm"], one_line(status.last_decision["reason"])
        decided = f"last decision: {arm}: {reason}"
        fits = {"no_wrap": True, "overflow": "ellipsis"} if console.is_terminal else {}
        parts.append(Text(decided, **fits))  # type: ignore[arg-type]
    parts += [Text(line) for line in _troubles(status.troubles, status.now)]
    parts += [Text(line) for line in (_upload(status.upload), *_cure(status)) if line]
    return Group(*parts)


def headline(status: Status) -> str:
    """The status in a line, without what changes with every look."""
    parts: list[str] = [status.condition]
    if status.detail:
        parts[0] += f" ({status.detail})"
    if status.arms:
        total = f"/{status.budget_epochs}" if status.budget_epochs else ""
        parts.append(f"{status.epochs}{total} epochs")
        parts.append(f"best {_best(status)}")
    if status.workers:
        parts.append(f"{len(status.workers)} workers")
    parts += _counts(status.troubles)
    return ", ".join(parts)


def _best(status: Status) -> str:
    best = next((arm for arm in status.arms if arm.arm == status.best_arm), None)
    if best is None:
        return "-"
    scale = SCALES[status.reward]
    return f"{best.arm} {scale.write_reward(best.reward)} {scale.unit}"


def spending(status: Status) -> str:
    """``37/100 epochs, 63 left | 2:13 | 16.5 epochs/min | ends about 14:05:10 (in 3:49)``."""
    total = status.budget_epochs
    epochs = f"{status.epochs} epochs"
    if total:
        epochs = f"{status.epochs}/{total} epochs, {total - status.epochs} left"
    clock = write_clock(status.seconds)
    if status.budget_seconds:
        left = write_clock(status.budget_seconds - status.seconds)
        clock += f" of {write_clock(status.budget_seconds)}, {left} left"
    parts = [epochs, clock]
    if status.per_minute:
        parts.append(f"{status.per_minute:.1f} epochs/min")
    if status.expected_end:
        at = datetime.fromtimestamp(status.expected_end)
        span = write_clock(status.expected_end - status.now)
        parts.append(f"ends about {at:%H:%M:%S} (in {span})")
    return " | ".join(parts)


def _first(status: Status) -> Text:
    line = Text(status.condition, style=STYLES.get(status.condition, "bold"))
    more = [status.run_dir, status.dataset, status.policy and f"policy {status.policy}"]
    if status.kind != "search":
        more.append(f"a run with a {status.kind}")
    if status.detail:
        line.append(f": {one_line(status.detail)}", style="default")
    line.append(f"\n{', '.join(filter(None, more))}", style="default")
    return line


def _arms(found: Look, console: Console) -> Iterator[RenderableType]:
    status, state = found.status, found.state
    if state is None:
        yield _table(status)
        hidden = len(status.arms) - MOST_ARMS
    else:
        if status.condition in ("stopped", "finished", "failed"):
            state = replace(state, flights={})  # nobody works on them
        room = console.height - FRAME - BELOW if console.is_terminal else MOST_ARMS
        names = shown(state, max(5, room))
        yield arms_table(state, names, status.now, console.width)
        hidden = len(state.arms) - len(names)
    refused = f", {status.refused} proposals refused" if status.refused else ""
    if hidden > 0 or refused:
        yield Text(f"... and {max(0, hidden)} more arms{refused}", style="dim")


def _table(status: Status) -> Table:
    """Of what another machine told, which is without curves."""
    scale = SCALES[status.reward]
    table = Table(box=None, padding=(0, 1), header_style="bold", pad_edge=False)
    for header in ("arm", "epochs", f"best {scale.unit}", "projected", "s/epoch", "now"):
        table.add_column(header, justify="left" if header in ("arm", "now") else "right")
    for arm in status.arms[:MOST_ARMS]:
        table.add_row(
            arm.arm,
            f"{arm.epochs} +{arm.in_flight}" if arm.in_flight else str(arm.epochs),
            scale.write_reward(arm.reward),
            scale.write_reward(arm.projected),
            write_seconds(arm.seconds_per_epoch),
            _now(arm, status),
            style="bold green" if arm.arm == status.best_arm else "",
        )
    return table


def _now(arm: ArmStatus, status: Status) -> str:
    if arm.standing != "open":
        return f"{arm.standing}: {one_line(arm.note)}" if arm.note else arm.standing
    return next((w.worker for w in status.workers if w.arm == arm.arm), "")


def _workers(status: Status) -> Iterator[str]:
    for worker in status.workers[:MOST_WORKERS]:
        place = " of ".join(filter(None, (worker.device, worker.node)))
        yield f"{worker.worker}{f' ({place})' if place else ''}: {_work(worker, status.now)}"
    if (hidden := len(status.workers) - MOST_WORKERS) > 0:
        idle = sum(worker.arm is None for worker in status.workers)
        yield f"... and {hidden} more workers; {idle} of {len(status.workers)} are idle"
    if status.waiting_pulls and status.condition not in ("stopped", "finished", "failed"):
        yield f"pulls that wait for a worker: {status.waiting_pulls}"


def _work(worker: WorkerStatus, now: float) -> str:
    if worker.arm is None or worker.since is None:
        return "idle"
    again = f", attempt {worker.attempt}" if (worker.attempt or 1) > 1 else ""
    epochs = f"{worker.epochs} epoch{'s' * (worker.epochs != 1)}"
    return f"{epochs} of {worker.arm}, for {write_clock(now - worker.since)}{again}"


def _counts(troubles: Troubles) -> list[str]:
    counted = (
        (troubles.lost_workers, "worker", "lost"), (troubles.failed_pulls, "pull", "failed"),
        (troubles.failed_arms, "arm", "failed"), (troubles.halved_batches, "batch size", "halved"),
    )  # fmt: skip
    return [f"{count} {noun}{'s' * (count != 1)} {verb}" for count, noun, verb in counted if count]


def _troubles(troubles: Troubles, now: float) -> Iterator[str]:
    if troubles:
        yield f"troubles: {', '.join(_counts(troubles))}"
    for trouble in troubles.latest:
        yield f"  {write_clock(now - trouble.time)} ago: {trouble.text}"


def _upload(upload: Upload) -> str:
    if not upload.tracked:
        return "MLflow: not tracked"
    if upload.complete and upload.sent == upload.of:
        return "MLflow: has everything"
    error = f"; the last attempt failed: {one_line(upload.error)}" if upload.error else ""
    return f"MLflow: {upload.sent} of {upload.of} lines sent{error}"


def _cure(status: Status) -> Iterator[str]:
    if status.cure:
        yield f"Next: {status.cure}"
