"""A search whose run directory is a URL: begun, killed, gone on with on other machines, read."""

import subprocess
import time

import pytest
import tiny
from object_store import Faulty, full

from vaesearch import Config, evaluate, resume, run_bandit
from vaesearch.errors import CheckpointError, RunDirError, StorageError
from vaesearch.events import PullFinished
from vaesearch.search import lease, working
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.run_dir import RunDir
from vaesearch.search.segments import read_after
from vaesearch.storage import folder_of


@pytest.fixture
def config(tmp_path_factory, searched):
    return Config(
        dataset=str(searched.parent / "blobs.npz"), image_size=16, decoders="mlp,mlp-wide",
        encoders="mlp", width=0.05, latent_dim=4, epochs=4, batch_size=64, backend="local",
        policy="uniform", tracking_uri="none",
    )  # fmt: skip


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes this process one on another machine, whose cache is empty."""

    def become(name):
        monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / name))

    become("first")
    return become


class KilledError(BaseException):
    """The process is gone: nothing that it would do at its end is done."""


def kill_at(line, monkeypatch):
    """An observer that kills the process at a line of the ledger."""

    def observe(event, state):
        if event.seq == line:
            monkeypatch.setattr(working.Working, "end", die)
            raise KilledError

    def die(self):
        self.mirror.close()
        self._lease._ended.set()  # its thread, not its claim

    return observe


def kill(config, url, line):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        run_bandit(config, url, observers=[kill_at(line, patch)])


def pulls(path):
    return [
        (event.pull, event.arm, [report["epoch"] for report in event.reports], event.checkpoints)
        for event in read_ledger(path)
        if isinstance(event, PullFinished)
    ]


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
@pytest.mark.parametrize("kind", ["bucket", pytest.param("google_bucket", marks=pytest.mark.slow)])
def test_everything_is_there_in_the_end(config, kind, machine, searched, request):
    url = f"{request.getfixturevalue(kind)}/runs/first"
    run_bandit(config, url)
    names = folder_of(url).names()
    for name in ("config.yaml", "results.json", "results.md", "ledger.jsonl", "curves.json.gz",
                 "arms/mlp/model.pt", "plots/learning_curves.png"):  # fmt: skip
        assert name in names
    assert sum(name.startswith("checkpoints/") for name in names) == 2
    machine("second")
    run_dir = open_run(url)
    assert pulls(run_dir.ledger) == pulls(searched / "ledger.jsonl")
    assert tiny.comparable(run_dir.path)["arms"] == tiny.comparable(searched)["arms"]
    assert run_dir.ledger.read_bytes() == folder_of(url).read("ledger.jsonl")


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (8, "other"),
        *(
            pytest.param(line, where, marks=pytest.mark.slow)
            for line in (0, 1, 2, 4, 5, 6, 9, 11, 15)
            for where in ("same", "other")
        ),
    ],
)
def test_killed_and_gone_on_with(config, bucket, machine, searched, monkeypatch, line, where):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 0.0)
    url = f"{bucket}/runs/first"
    kill(config, url, line)
    if where == "other":
        machine("second")
    run_bandit(config, url, or_resume=True)
    machine("third")
    assert pulls(open_run(url).ledger) == pulls(searched / "ledger.jsonl")


@pytest.mark.slow
def test_on_the_same_machine_nothing_that_was_finished_is_lost(config, bucket, machine):
    url = f"{bucket}/runs/first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(working.LedgerMirror, "_follow", lambda self: None)  # sends nothing
        kill(config, url, 9)
    here = RunDir(url).ledger.read_bytes()
    resume(url)
    machine("second")
    assert open_run(url).ledger.read_bytes().startswith(here)


def test_a_second_driver_is_told_before_any_epoch(config, bucket, machine, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.1)
    url, told = f"{bucket}/runs/first", []

    def meanwhile(event, state):
        if event.seq == 5:
            machine("second")
            with pytest.raises(RunDirError, match=f"{url} is in use by process"):
                run_bandit(config, url)
            with pytest.raises(RunDirError, match=f"{url} is in use by process"):
                resume(url)
            told.append(event)
            machine("first")

    run_bandit(config, url, observers=[meanwhile])
    assert told
    assert sum(len(epochs) for _, _, epochs, _ in pulls(open_run(url).ledger)) == 4


def test_a_driver_that_was_taken_for_dead_stops(config, bucket, machine, monkeypatch):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 0.0)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.0)
    url = f"{bucket}/runs/first"

    def sleep_long(event, state):
        if event.seq == 5:
            machine("second")
            try:
                resume(url)
            except RunDirError:  # the sleeper's last lines came in between: try again
                resume(url)
            machine("first")

    with pytest.raises(RunDirError, match="in use by another process, which took it over"):
        run_bandit(config, url, observers=[sleep_long])
    machine("third")
    assert sum(len(epochs) for _, _, epochs, _ in pulls(open_run(url).ledger)) == 4


@pytest.mark.slow
def test_another_configuration_is_refused_and_the_same_is_gone_on_with(config, bucket, machine):
    url = f"{bucket}/runs/first"
    first = run_bandit(config, url)
    machine("second")
    with pytest.raises(RunDirError, match="holds this search already; `vaesearch resume s3://"):
        run_bandit(config, url)
    with pytest.raises(RunDirError, match="made by another configuration"):
        run_bandit(config.changed(width=0.1), url, or_resume=True)
    assert run_bandit(config, url, or_resume=True).search_id == first.search_id


@pytest.mark.parametrize("where", ["first", pytest.param("second", marks=pytest.mark.slow)])
def test_a_run_made_anew_is_not_taken_for_the_old_one(config, bucket, machine, where):
    url = f"{bucket}/runs/first"
    first, folder = run_bandit(config, url), folder_of(f"{bucket}/runs/first")
    for name in folder.names():
        folder.remove(name)
    with pytest.raises(RunDirError, match="is not a run directory"):
        open_run(url)
    machine(where)
    second = run_bandit(config.changed(epochs=2), url)
    machine("first")
    started = read_ledger(open_run(url).ledger)[0]
    assert started.search_id == second.search_id != first.search_id


def test_a_path_is_gone_on_with_too(config, machine, tmp_path):
    first = run_bandit(config, tmp_path / "run", or_resume=True)
    assert run_bandit(config, tmp_path / "run", or_resume=True).search_id == first.search_id
    with pytest.raises(RunDirError, match="made by another configuration"):
        run_bandit(config.changed(width=0.1), tmp_path / "run", or_resume=True)


def test_figures_are_put_back(config, bucket, machine):
    url = f"{bucket}/runs/first"
    run_bandit(config, url)
    machine("second")
    [found] = evaluate(url, "bpd")
    machine("third")
    assert evaluate(url, "bpd")[0].records[0].cached
    assert f"evaluation/{found.path.name}" in folder_of(url).names()


def test_a_storage_that_fills_up_stops_the_search_which_goes_on_later(
    config, bucket, machine, searched
):
    url = f"{bucket}/runs/first"

    def fill(event, state):
        if event.seq == 5:
            run = run_dirs[0]
            run.folder = Faulty(run.folder)
            run.folder.fault = full()
            run.mirror.writer._folder = run.folder

    run_dirs = []
    with pytest.MonkeyPatch.context() as patch:
        claim = working.Working._claim

        def spied(self, address):
            self.mirror, self.folder = claim(self, address), self._home.folder
            run_dirs.append(self)
            return self.mirror

        patch.setattr(working.Working, "_claim", spied)
        with pytest.raises(StorageError, match=f"cannot write the ledger at {url}: No space"):
            run_bandit(config, url, observers=[fill])
    machine("second")
    resume(url)
    assert pulls(open_run(url).ledger) == pulls(searched / "ledger.jsonl")


@pytest.mark.parametrize("url", ["s3://no-such-bucket/runs/a"])
def test_a_bucket_that_is_missing_is_said_before_any_epoch(config, s3_environment, machine, url):
    events = []
    with pytest.raises(StorageError, match="there is no such bucket"):
        run_bandit(config, url, observers=[lambda event, state: events.append(event)])
    with pytest.raises(StorageError, match="there is no such bucket"):
        resume(url)
    assert not events


def test_a_refused_search_leaves_nothing(config, bucket, machine, monkeypatch):
    url = f"{bucket}/runs/first"
    folder_of(url).write("results.json", b"{}")
    with pytest.raises(RunDirError, match="holds other results"):
        run_bandit(config, url)
    folder_of(url).remove("results.json")
    monkeypatch.setattr("vaesearch.api.starting.refuse_used", refuse)
    with pytest.raises(RunDirError, match="refused"):
        run_bandit(config, f"{bucket}/runs/second")
    assert folder_of(f"{bucket}/runs/second").names() == []


def refuse(run_dir, config):
    raise RunDirError("refused")


def test_a_url_without_a_run_is_said(bucket, machine):
    with pytest.raises(RunDirError, match="is not a run directory"):
        open_run(f"{bucket}/nothing/here")


@pytest.mark.slow
def test_a_checkpoint_that_is_gone_is_named_by_its_url(config, bucket, machine):
    url = f"{bucket}/runs/first"
    run_bandit(config, url)
    folder = folder_of(url)
    [name] = folder.names("checkpoints/mlp")
    folder.remove(name)
    with pytest.raises(CheckpointError, match=r"cannot read s3://.*: no such file"):
        evaluate(url, "bpd", arms="mlp")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_processes_that_are_killed_on_one_machine_after_another(
    s3_environment, bucket, tmp_path, searched
):
    words = ["bandit", "--dataset", searched.parent / "blobs.npz", *tiny.OPTIONS, "--backend",
             "local", "--tracking-uri", "none", "--or-resume"]  # fmt: skip
    url = f"{bucket}/runs/first"
    for number, lines in enumerate((5, 14, 23)):
        assert kill_process([*words, "--run-dir", url], tmp_path / f"machine {number}", url, lines)
    done = tiny.run(*words, "--run-dir", url, cache=tmp_path / "last")
    assert done.returncode == 0, done.stderr
    done = tiny.run(*words, "--run-dir", tmp_path / "undisturbed", cache=tmp_path / "quiet")
    assert done.returncode == 0, done.stderr
    again = open_run(url)
    assert pulls(again.ledger) == pulls(tmp_path / "undisturbed" / "ledger.jsonl")
    assert tiny.comparable(again.path) == tiny.comparable(tmp_path / "undisturbed")


def kill_process(words, cache, url, lines):
    """Kill a search once its home has so many lines; whether it was still running."""
    process = subprocess.Popen(
        tiny.command(*words), env=tiny.environment(cache),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None:
        if read_after(folder_of(url), 0)[0].count(b"\n") >= lines:
            process.kill()
            process.wait()
            return True
        time.sleep(0.02)
    return False
