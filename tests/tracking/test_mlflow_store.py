"""What arrives in MLflow, sent by this process so that it can be interrupted at every request."""

import os
from contextlib import suppress
from unittest.mock import Mock

import pytest

from vaesearch.errors import CheckpointError
from vaesearch.tracking import upload, uploader
from vaesearch.tracking.cursor import Cursor, load_cursor, save_cursor
from vaesearch.tracking.mlflow_store import MlflowClient, MlflowStore
from vaesearch.tracking.reasons import explain
from vaesearch.tracking.updates import Point, RunUpdate

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader"),
    pytest.mark.filterwarnings("ignore:.*AnyType"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.timeout(180),
]
REQUESTS = (
    "create_experiment", "create_run", "log_batch", "set_terminated", "update_run", "log_artifact",
    "create_logged_model", "log_model_artifacts", "finalize_logged_model", "log_outputs",
)  # fmt: skip


def drain(search, uri, experiment="vaesearch"):
    return uploader.follow(search.run_dir, uri, experiment, ended=lambda _: True)


def test_a_search_is_a_parent_and_its_arms_are_children(search, uri, shown):
    assert drain(search.example(), uri)
    there = shown(uri)
    assert len(there.runs) == 5
    assert there.parent.info.run_name == "search 1"
    for name, run in there.arms.items():
        assert run.info.run_name == name
        assert run.data.tags["mlflow.parentRunId"] == there.parent.info.run_id
    assert there.arms["deconv"].data.params["decoder"] == "deconv"
    assert there.parent.data.tags["vaesearch.policy"] == "thompson"


def test_steps_are_epochs_and_times_are_those_of_the_events(search, uri, shown):
    search.example()
    drain(search, uri)
    there = shown(uri)
    finished = [e for e in search.ledger.events if e.kind == "pull_finished" and e.arm == "mlp"]
    first, second = (round(e.time * 1000) for e in finished)
    expected = [(1, -8.0, first), (2, -7.0, first), (3, -6.5, second)]
    assert there.history("mlp", "reward") == expected
    assert [point[0] for point in there.history(None, "best/reward")] == [2, 5, 6, 7, 8]
    assert there.arms["deconv"].data.metrics["best/reward"] == -5.0
    assert there.arms["deconv"].data.metrics["test/bpd"] == 4.5


def test_runs_end_as_their_arms_did(search, uri, shown):
    drain(search.example(), uri)
    there = shown(uri)
    assert {arm: run.info.status for arm, run in there.arms.items()} == {
        "mlp": "FINISHED", "deconv": "FINISHED", "wide+mlp": "FINISHED", "bad": "FAILED",
    }  # fmt: skip
    assert there.parent.info.status == "FINISHED"
    first, last = search.ledger.events[0], search.ledger.events[-1]
    assert there.parent.info.start_time == round(first.time * 1000)
    assert there.parent.info.end_time == round(last.time * 1000)


def test_artifacts_lie_beside_the_runs(search, uri, shown, runs):
    drain(search.example(), uri)
    there = shown(uri)
    assert there.files("mlp", "images") == ["images/picture.png"]
    assert there.files("bad") == []
    assert there.files(None, "plots") == ["plots/picture.png"]
    assert there.files(None) == ["config.yaml", "ledger.jsonl", "plots", "results.json"]
    assert there.experiment.artifact_location == (runs / "mlartifacts").as_uri()


@pytest.mark.parametrize("finished", [True, False])
def test_sending_everything_again_changes_nothing(search, uri, shown, finished):
    search = search.example() if finished else search.start("mlp").pull("mlp", -1.0)
    drain(search, uri)
    before = shown(uri).everything()
    search.run_dir.tracking_cursor.unlink()
    assert drain(search, uri)
    assert shown(uri).everything() == before


class Killed(BaseException):
    """Ends the upload like a kill: nothing may catch it."""


def kill_after(monkeypatch, number):
    """Die when the request of that number is done, but nobody knows yet."""
    left = [number]

    def dying(real):
        def request(*args, **kwargs):
            left[0] -= 1
            result = real(*args, **kwargs)
            if left[0] == 0:
                raise Killed
            return result

        return request

    for name in REQUESTS:
        monkeypatch.setattr(MlflowClient, name, dying(getattr(MlflowClient, name)))


def test_dying_after_any_request_loses_and_doubles_nothing(
    search, uri, shown, monkeypatch, tiny_network
):
    monkeypatch.setattr(upload, "BATCH", 9)
    search.start("mlp", "bad").pull("mlp", -2.0, -1.0).pull("bad", -3.0).fail("bad")
    search.pull("mlp", -0.5).draw("mlp").finish("mlp")
    (search.run_dir.arms / "mlp" / "model.pt").touch()
    drain(search, uri, "undisturbed")
    expected = shown(uri, experiment="undisturbed").everything()
    number, survived = 0, False
    while not survived:
        number += 1
        with monkeypatch.context() as patch:
            kill_after(patch, number)
            with suppress(Killed):
                survived = drain(search, uri, f"killed {number}")
        assert drain(search, uri, f"killed {number}")
        assert shown(uri, experiment=f"killed {number}").everything() == expected
    assert number > 15


def test_runs_deleted_in_mlflow_are_sent_again(search, uri, shown):
    drain(search.example(), uri)
    there = shown(uri)
    expected = there.everything()
    for run in there.runs:
        there.client.delete_run(run.info.run_id)
    assert drain(search, uri)
    assert shown(uri).everything() == expected


def test_a_search_that_stopped_is_killed_until_it_is_resumed(search, uri, shown):
    drain(search.start("mlp").pull("mlp", -1.0), uri)
    there = shown(uri)
    assert there.parent.info.status == there.arms["mlp"].info.status == "KILLED"
    assert there.parent.data.tags["vaesearch.status"] == "interrupted"
    search.resume().pull("mlp", -0.5).finish("mlp")
    drain(search, uri)
    there = shown(uri)
    assert there.parent.info.status == "FINISHED"
    assert [p[:2] for p in there.history("mlp", "reward")] == [(1, -1.0), (2, -0.5)]


def test_a_search_resumed_after_its_end_shows_the_new_end(search, uri, shown):
    drain(search.example(), uri)
    search.resume().pull("mlp", -1.0)
    drain(search, uri)
    assert shown(uri).parent.info.status == "KILLED"
    search.finish("mlp")
    drain(search, uri)
    there = shown(uri)
    assert there.parent.info.status == "FINISHED"
    assert there.parent.data.tags["vaesearch.best_arm"] == "mlp"


def test_another_store_gets_everything(search, uri, shown):
    search.start("mlp").pull("mlp", -1.0)
    save_cursor(search.run_dir, Cursor("http://elsewhere", "vaesearch", sent=4))
    assert drain(search, uri)
    assert shown(uri).history("mlp", "reward")[0][:2] == (1, -1.0)
    assert load_cursor(search.run_dir, uri, "vaesearch").sent == 5


def test_a_torn_last_line_does_not_disturb(search, uri, shown):
    search.start("mlp").pull("mlp", -1.0)
    with search.run_dir.ledger.open("ab") as file:
        file.write(b'{"seq":5,"ti')
    assert drain(search, uri)
    assert load_cursor(search.run_dir, uri, "vaesearch").sent == 5
    assert shown(uri).parent.info.status == "KILLED"


def test_a_damaged_line_is_reported_and_what_is_before_it_is_sent(search, uri):
    search.start("mlp").pull("mlp", -1.0)
    with search.run_dir.ledger.open("ab") as file:
        file.write(b"damaged\n")
    assert not drain(search, uri)
    cursor = load_cursor(search.run_dir, uri, "vaesearch")
    assert (cursor.sent, cursor.complete) == (5, False)
    assert "line 6 is damaged" in cursor.error


def test_two_searches_share_an_experiment(search, other_search, uri, shown):
    drain(search.example(), uri)
    drain(other_search.start("mlp").pull("mlp", -1.0), uri)
    assert len(shown(uri).runs) == 5
    assert len(shown(uri, "id-2").runs) == 2


def test_long_updates_are_split_at_the_limits(runs, uri):
    store = MlflowStore(uri, "vaesearch", runs / "mlartifacts")
    store.open_search("id", "name")
    points = [Point("reward", float(i), i, 1) for i in range(2001)]
    texts = {f"k{i}": "v" for i in range(250)}
    store.log(RunUpdate(None, 1, texts, texts, points))
    client = MlflowClient(tracking_uri=uri)
    [run] = client.search_runs([client.get_experiment_by_name("vaesearch").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "reward")) == 2001
    assert len(run.data.params) == 250


@pytest.fixture
def tiny_network(monkeypatch):
    """What ``load_model`` returns for every file."""
    torch = pytest.importorskip("torch")
    import vaesearch.pull

    network = torch.nn.Linear(3, 2)
    monkeypatch.setattr(vaesearch.pull, "load_model", lambda path: network)
    return network


def test_the_model_of_an_arm_can_be_loaded(search, uri, shown, tiny_network):
    import mlflow

    search.example()
    (search.run_dir.arms / "mlp" / "model.pt").touch()
    drain(search, uri)
    run = shown(uri).arms["mlp"]
    [output] = run.outputs.model_outputs
    assert output.step == 3
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        loaded = mlflow.pytorch.load_model(f"runs:/{run.info.run_id}/model")
    finally:
        mlflow.set_tracking_uri(before)
    assert loaded.weight.tolist() == tiny_network.weight.tolist()
    assert mlflow.active_run() is None


def test_a_damaged_model_is_left_out(search, uri, shown, caplog, monkeypatch):
    damaged = Mock(side_effect=CheckpointError("no model"))
    monkeypatch.setattr("vaesearch.pull.load_model", damaged)
    search.example()
    (search.run_dir.arms / "mlp" / "model.pt").touch()
    assert drain(search, uri)
    assert "model.pt is left out" in caplog.text
    assert shown(uri).files(None)


def test_nothing_is_asked_of_mlflow_before_there_is_a_ledger(search, runs):
    assert drain(search, f"sqlite:///{runs}/none.db")
    assert not (runs / "none.db").exists()


def test_an_error_is_logged_once_and_kept_for_the_user(search, caplog, monkeypatch):
    search.start("mlp")
    monkeypatch.setattr(upload.Upload, "_connect", Mock(side_effect=OSError("no route")))
    waits = []

    def ended(wait):
        waits.append(wait)
        return len(waits) > 8

    assert not uploader.follow(search.run_dir, "http://host", "e", ended)
    assert waits == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert caplog.text.count("no route") == 1
    assert load_cursor(search.run_dir, "http://host", "e").error == "no route"


def test_the_first_cause_is_what_a_person_is_told():
    outer = RuntimeError("API request failed")
    outer.__context__ = ConnectionRefusedError(111, "Connection refused")
    assert explain(outer) == "[Errno 111] Connection refused"
    named = ValueError("<Connection object at 0x7f00>: no\nroute")
    assert explain(named) == "no route"
    assert explain(KeyboardInterrupt()) == "KeyboardInterrupt"


def test_a_database_whose_creation_was_cut_short_is_made_again(template):
    assert sorted(os.listdir(template.parent)) == [".mlflow.db.lock", "mlflow.db"]


def counted(monkeypatch, *names):
    """The names of the requests that are made from here on."""
    made = []

    def counting(name, real):
        def request(*args, **kwargs):
            made.append(name)
            return real(*args, **kwargs)

        return request

    for name in names:
        monkeypatch.setattr(MlflowClient, name, counting(name, getattr(MlflowClient, name)))
    return made


def test_an_event_costs_few_requests_however_many_arms_there_are(search, uri, shown, monkeypatch):
    arms = [f"arm-{number:02d}" for number in range(30)]
    search.start(*arms)
    for number, arm in enumerate(arms):
        search.pull(arm, -30.0 + number)
    sending = upload.Upload(search.run_dir, uri, "vaesearch")
    sending.send_new()
    made = counted(monkeypatch, "log_batch", "create_run", "log_inputs", "update_run")
    search.pull("arm-29", -0.5)  # who led goes on leading
    sending.send_new()
    assert made == ["log_batch", "log_batch"]  # the arm, and the search with its description
    made.clear()
    search.pull("arm-00", -0.1)  # from the last place to the first: everyone moves
    sending.send_new()
    assert made == ["log_batch"] * 12  # and the ten that were ahead, not all thirty
    made.clear()
    sending.finish()
    told = {
        run.data.tags["vaesearch.arm"]: int(run.data.tags["rank"])
        for run in shown(uri).arms.values()
    }
    assert sorted(told, key=told.get)[:3] == ["arm-00", "arm-29", "arm-28"]
    assert sorted(told.values()) == list(range(1, 31))
