"""The page of `reliability.py`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from common import hardware, spread, table

from chaos.agent import KINDS, OF_NODES
from chaos.checks import CHECKS

Outcome = Mapping[str, Any]


MARKS = "<!-- figures -->", "<!-- end of figures -->"


def report(found: Sequence[Outcome]) -> str:
    """Verdicts, costs of each kind of fault, and a line for every round."""
    title = f"# A search whose machines come and go, {len(found)} rounds\n"
    return "\n".join([title, summary(found), "\n## Rounds\n", _rounds(found)])


def summary(found: Sequence[Outcome]) -> str:
    """On what machine, what held, and what each kind of fault cost."""
    epochs = sum(outcome["epochs"] for outcome in found)
    seconds = [outcome["seconds"] for outcome in found]
    head = (
        f"{hardware('ray', 'torch', 'mlflow')}. {len(found)} rounds, {epochs:,} epochs in all; "
        f"seconds of a round, cluster and drivers included: {spread(seconds, 0)}.\n"
    )
    return "\n".join([head, _verdicts(found), "", _costs(found)])


def between(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks."""
    before, _, rest = page.partition(MARKS[0])
    return f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{rest.partition(MARKS[1])[2]}"


def _verdicts(found: Sequence[Outcome]) -> str:
    rows = [
        [sentence, f"{sum(o['checks'][key] for o in found)} of {len(found)}"]
        for key, sentence in CHECKS.items()
    ]
    return table(["after the round", "rounds"], rows)


def _costs(found: Sequence[Outcome]) -> str:
    rows = []
    for kind in KINDS:
        strikes = [s for o in found for s in o["strikes"] if s["kind"] == kind]
        lost = [loss for o in found for loss in o["losses"] if loss["kind"] == kind]
        again = [loss["seconds"] for loss in lost if loss["seconds"] is not None]
        hit = sum(strike["hit"] for strike in strikes)
        rows.append([kind, *map(str, (len(strikes), hit, len(lost), _epochs(lost))),
                     spread(again, 1)])  # fmt: skip
    note = (
        "A pull that was lost is done again; its epochs are trained twice and count once. Seconds "
        "run from the fault until the pull is under way again: median and range."
    )
    head = ["fault", "times", "workers hit", "pulls lost", "their epochs", "under way again, s"]
    return f"{note}\n\n{table(head, rows)}"


def _rounds(found: Sequence[Outcome]) -> str:
    rows = []
    for outcome in found:
        counts = Counter(strike["kind"] for strike in outcome["strikes"])
        gone = sum(counts[kind] for kind in OF_NODES)
        workers = counts["kill worker"], counts["hang worker"]
        broken = [key for key, holds in outcome["checks"].items() if not holds]
        rows.append([
            str(outcome["number"]), f"{outcome['seconds']:.0f}", str(outcome["chunk"]),
            str(counts["add node"]), str(gone), *map(str, workers),
            str(counts["kill driver"]), str(len(outcome["losses"])),
            str(_epochs(outcome["losses"])),
            ", ".join(broken) or outcome["trouble"] or "all held",
        ])  # fmt: skip
    head = [
        "round", "seconds", "epochs per pull", "nodes added", "nodes lost", "workers killed",
        "workers hung", "drivers killed", "pulls lost", "epochs trained twice", "verdict",
    ]  # fmt: skip
    return table(head, rows)


def _epochs(lost: Sequence[Mapping[str, Any]]) -> int:
    return sum(loss["epochs"] for loss in lost)
