"""What must hold after a round, whatever was done to the search: each a sentence and a verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.accounts import Loss, attempts
from chaos.search import rewards
from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import VaesearchError
from vaesearch.events import Event, PullFinished, SearchFinished
from vaesearch.search.state import SearchState, fold

# Sentence by key, in the order of the page.
CHECKS = {
    "ended": "the search ended",
    "budget": "the ledger has exactly the epochs of the budget",
    "once": "every epoch of every arm is in it once, without a gap",
    "ends": "every pull that was started has one end",
    "checkpoints": "the checkpoints that it names are there, with their digests",
    "rewards": "every reward is that of a search that nobody disturbed, to the last bit",
    "explained": "pulls were lost only where they were in flight on what was struck",
    "arms": "no arm was given up",
    "test": "every arm has the test figures of its best checkpoint",
    "mlflow runs": "MLflow has one run for the search and one for each arm",
    "mlflow values": "and each epoch's value in it once, as in the ledger",
}


def of_ledger(
    folder: Path,
    events: Sequence[Event],
    budget: int,
    reference: Mapping[tuple[str, int], float],
    lost: Sequence[Loss],
) -> dict[str, bool]:
    """Verdicts on the run directory."""
    state = fold(events, Budget())
    epochs = [
        (event.arm, report["epoch"])
        for event in events if isinstance(event, PullFinished) for report in event.reports
    ]  # fmt: skip
    ends = Counter(attempt.end for attempt in attempts(events))
    got = rewards(list(events))
    return {
        "ended": isinstance(events[-1], SearchFinished),
        "budget": len(epochs) == budget,
        "once": len(set(epochs)) == len(epochs) and _is_gapless(state),
        "ends": not ends["open"] and not ends["twice"] and _one_result_each(events),
        "checkpoints": _are_there(folder, state),
        "rewards": all(reference[key] == reward for key, reward in got.items()),
        "explained": all(loss.strike is not None for loss in lost),
        "arms": all(arm.status != "failed" for arm in state.history.arms),
        "test": all(
            arm.test and arm.best and arm.test_epoch == arm.best.epoch
            for arm in state.arms.values() if arm.reports
        ),
    }  # fmt: skip


def of_mlflow(uri: str, folder: Path, events: Sequence[Event]) -> dict[str, bool]:
    """Verdicts on what MLflow shows."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    state = fold(events, Budget())
    experiment = client.get_experiment_by_name("reliability")
    wanted = f"tags.`vaesearch.search_id` = '{state.search_id}'"
    runs = client.search_runs([experiment.experiment_id], wanted) if experiment else []
    arms = Counter(run.data.tags.get("vaesearch.arm") for run in runs)
    values = [
        _shown(client, run.info.run_id) == _values(state, run.data.tags["vaesearch.arm"])
        for run in runs if "vaesearch.arm" in run.data.tags
    ]  # fmt: skip
    return {
        "mlflow runs": arms == Counter([None, *state.arms]),
        "mlflow values": bool(values) and all(values),
    }


def _shown(client: object, run: str) -> list[tuple[int, float]]:
    return sorted((m.step, m.value) for m in client.get_metric_history(run, "bpd"))


def _values(state: SearchState, arm: str) -> list[tuple[int, float]]:
    return [(report.epoch, report.metrics["bpd"]) for report in state.arms[arm].reports]


def _is_gapless(state: SearchState) -> bool:
    return all(
        [report.epoch for report in arm.reports] == list(range(1, arm.epoch + 1))
        for arm in state.arms.values()
    )


def _one_result_each(events: Sequence[Event]) -> bool:
    finished = Counter(event.pull for event in events if isinstance(event, PullFinished))
    return all(count == 1 for count in finished.values())


def _are_there(folder: Path, state: SearchState) -> bool:
    store = CheckpointStore(Path(folder, "checkpoints"))
    try:
        for name, arm in state.arms.items():
            for epoch, digest in arm.checkpoints.items():
                store.load(name, epoch, digest)
    except VaesearchError as error:
        print(f"  {error}")
        return False
    return True
