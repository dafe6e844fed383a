"""``vaesearch submit``, ``jobs``, ``logs`` and ``stop`` as a user types them, on a fake head."""

import json
from types import SimpleNamespace

import pytest
from fake_head import FakeHead

from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status

BANDIT = ("--", "bandit", "--dataset", "digits")
RUN = ("--run-dir", "/runs/x")


@pytest.fixture
def head(monkeypatch, tmp_path):
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with FakeHead() as fake:
        monkeypatch.setenv("RAY_API_SERVER_ADDRESS", fake.url)
        yield fake


@pytest.fixture
def say(capsys, head):
    """Run a command: (status, out, err)."""

    def run(*words):
        return SimpleNamespace(
            status=_status(app, list(words), debug=False),
            **dict(zip(("out", "err"), capsys.readouterr(), strict=True)),
        )

    return run


@pytest.fixture
def sent(monkeypatch, head):
    """What would be sent, in place of sending it."""
    kept = []

    def send(where, arguments):
        kept.append(arguments)
        head.add(arguments["submission_id"], status="SUCCEEDED", metadata=arguments["metadata"])

    monkeypatch.setattr("vaesearch.jobs.client.send", send)
    return kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Write the command after `--`"),
        (("--", "bandti"), "did you mean 'bandit'"),
        (("--", "ui"), "`ui` runs here, not as a job"),
        (("--", "submit"), "`submit` runs here, not as a job"),
        (("--", "bandit", "--epochz", "3"), "No such option"),
        (("--", "bandit", "--epochs", "many"), "not a valid integer"),
        (("--", "bandit", "--decoders", "mpl"), "did you mean 'mlp'"),
        (("--", "tune", "--space", "gone.yaml"), "gone.yaml"),
        (("--", "tune", "--set", "latent_dim=4", "--latent-dim", "4"), "--latent-dim"),
        ((*BANDIT, "--address", "x:1"), "before the `--`"),
        ((*BANDIT, "--backend", "local"), "--backend local"),
        ((*BANDIT, "--or-resume"), "--or-resume needs the --run-dir"),
        ((*BANDIT, "--run-dir", "runs/x"), "is a path of this machine"),
        (("--", "resume"), "Missing argument"),
        (("--", "resume", "runs/x"), "is a path of this machine"),
        (("--json", *BANDIT), "--json is for --detach"),
        (("--id", "a b", *BANDIT), "--id 'a b'"),
        (("--driver-memory", "4Q", *BANDIT), "such as 4G"),
        (("--driver-resources", "disk", *BANDIT), "NAME=AMOUNT"),
        (("--driver-cpus", "-1", *BANDIT), "-1"),
        (("--env", "NOT_SET_HERE", *BANDIT), "it is not set here"),
        (("--with", "gone", *BANDIT), "--with gone: there is nothing here"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(say, head, words, said):
    ended = say("submit", *words)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") <= 3
    assert head.asked == []


def test_a_config_file_is_looked_into(say, head, tmp_path):
    for text, said in (
        ("decoders: mpl", "did you mean 'mlp'"),
        ("backend: local", "--backend local"),
        ("address: x:1", "before the `--`"),
        ("epochz: 3", "did you mean 'epochs'"),
    ):
        (tmp_path / "c.yaml").write_text(text)
        ended = say("submit", "--", "bandit", "--config", "c.yaml", *RUN)
        assert ended.status == 2
        assert said in ended.err
    assert head.asked == []


def test_another_head(say, head, sent):
    head.ray_version = "2.9.0"
    assert "runs Ray 2.9.0" in say("submit", *BANDIT, *RUN).err
    assert sent == []
    assert say("submit", "--other-versions", "--detach", *BANDIT, *RUN).status == 0


def test_detached(say, sent, head):
    words = ["--", "bandit", "--dataset", "digits", "--learning-rate", "0.002", "--confidence"]
    ended = say("submit", "--detach", "--json", *words, ".9", *RUN)
    told = json.loads(ended.out)
    (arguments,) = sent
    assert told == {"id": arguments["submission_id"], "address": head.url, "run_dir": "/runs/x"}
    assert told["id"].startswith("vaesearch-bandit-digits-")
    assert arguments["entrypoint"].endswith(
        "vaesearch_job.py bandit --dataset=digits --confidence=0.9 --learning-rate=0.002 "
        "--run-dir=/runs/x"
    )
    assert arguments["metadata"]["command"].startswith("vaesearch bandit --dataset digits --learn")
    ended = say("submit", "--detach", "--id", "mine", "--driver-memory", "2G", *BANDIT, *RUN)
    assert ended.out == "mine\n"
    assert f"vaesearch logs mine --follow --address {head.url}" in ended.err
    assert sent[-1]["entrypoint_memory"] == 2_000_000_000


def watched(monkeypatch, *pieces):
    """Connections that bring ``pieces``."""

    class Wire:
        def __init__(self, head, name):
            self.pieces = list(pieces)

        def read(self, seconds):
            piece = self.pieces.pop(0) if self.pieces else None
            if isinstance(piece, BaseException):
                raise piece
            return piece

        def close(self):
            pass

    monkeypatch.setattr("vaesearch.jobs.client.Tail", Wire)


def test_followed_to_its_end(say, sent, monkeypatch):
    watched(monkeypatch, "one\n", "two\n")
    ended = say("submit", *BANDIT, *RUN)
    assert (ended.status, ended.out) == (0, "one\ntwo\n")
    assert "Run directory: /runs/x" in ended.err


@pytest.mark.parametrize(
    ("status", "code", "ends"), [("FAILED", 1, 1), ("FAILED", 2, 2), ("STOPPED", None, 130)]
)
def test_it_ends_as_the_job_did(say, head, monkeypatch, status, code, ends):
    watched(monkeypatch, "out\n")
    head.add("job", status=status, driver_exit_code=code)
    ended = say("logs", "job", "-f")
    assert (ended.status, ended.out) == (ends, "out\n")
    assert f"job ended: {status}" in ended.err


def test_a_job_that_could_not_run(say, head, monkeypatch):
    watched(monkeypatch)
    head.add("job", status="FAILED", message="no room on any node")
    ended = say("logs", "job", "-f")
    assert ended.status == 1
    assert "no room on any node" in ended.err


def test_ctrl_c_leaves_the_job(say, head, monkeypatch):
    watched(monkeypatch, "one\n", KeyboardInterrupt())
    head.add("job")
    ended = say("logs", "job", "--follow")
    assert ended.status == 130
    assert "The job goes on." in ended.err
    assert f"vaesearch stop job --address {head.url}" in ended.err
    assert not any(path.endswith("/stop") for _, path, _ in head.asked)


def test_jobs(say, head):
    assert say("jobs").out == "No job was submitted by vaesearch.\n"
    head.add("other", metadata={}, entrypoint="echo hi")
    assert "1 of other programs: --all" in say("jobs").out
    head.add("job", status="FAILED", driver_exit_code=2)
    table = say("jobs").out
    assert "FAILED (exit 2)" in table
    assert "/runs/x" in table
    assert "other" not in table
    assert "echo hi" in say("jobs", "--all").out
    (row,) = json.loads(say("jobs", "--json").out)
    assert (row["id"], row["exit_status"], row["command"]) == ("job", 2, "vaesearch bandit")


def test_logs(say, head):
    head.add("vaesearch-bandit-mnist-aa11")
    head.logs["vaesearch-bandit-mnist-aa11"] = "said\n"
    assert say("logs", "vaesearch-b").out == "said\n"
    assert "did you mean vaesearch-bandit-mnist-aa11" in say("logs", "mnist").err


def test_stop(say, head):
    head.add("job")
    head.logs["job"] = "Stopped. Every finished epoch is kept\n  vaesearch resume /runs/x\n"
    ended = say("stop", "jo")
    assert ended.status == 0
    assert f"vaesearch submit --address {head.url} -- resume /runs/x" in ended.out
    assert "had ended before: STOPPED" in say("stop", "job").out


def test_stop_says_the_place_that_the_cluster_chose(say, head):
    head.add("job")
    head.jobs["job"]["metadata"]["run_dir"] = "$VAESEARCH_RUNS/x"
    head.logs["job"] = "Run directory: s3://b/my runs/x\n  vaesearch resume ...\n"
    assert "resume 's3://b/my runs/x'" in say("stop", "job").out


def test_stopped_before_it_began(say, head):
    head.add("job")
    assert "submit it anew" in say("stop", "job").out
