"""Logs for machines: every line on stderr is an object that a collector can read."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from vaesearch.bandits.core import Budget, History
from vaesearch.cli.logs import JsonLines, JsonLog, level_of
from vaesearch.events import (
    EVENTS,
    ArmFailed,
    DecisionMade,
    PullFailed,
    SearchFinished,
    SearchStarted,
    WorkerLost,
)
from vaesearch.search.state import SearchState

STRAY = ("note", "log", "output", "error", "pass")
HEAD = {
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "level": {"enum": ["info", "warning", "error"]},
    "event": {"enum": [*EVENTS, *STRAY]},
    "message": {"type": "string", "minLength": 1},
    "search_id": {"type": ["string", "null"]},
    "run_dir": {"type": ["string", "null"]},
}
OF_LEDGER = {
    "seq": {"type": "integer"},
    "spent": {"type": "integer"},
    "best": {
        "type": ["object", "null"],
        "properties": {
            "arm": {"type": "string"},
            "reward": {"type": "number"},
            "epoch": {"type": "integer"},
        },
        "required": ["arm", "reward", "epoch"],
        "additionalProperties": False,
    },
    "data": {"type": "object"},
}
SCHEMA = {
    "type": "object",
    "properties": {**HEAD, **OF_LEDGER, "logger": {"type": "string"}},
    "required": list(HEAD),
    "additionalProperties": False,
    "if": {"properties": {"event": {"enum": list(EVENTS)}}},
    "then": {"required": [*HEAD, *OF_LEDGER]},
}


def checked(text):
    """The lines, each of them held to the schema."""
    entries = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    for entry in entries:
        jsonschema.validate(entry, SCHEMA)
    return entries


def written(*events, state=None):
    lines = []
    observer = JsonLines(JsonLog(lines.append, lambda: 0.0))
    for event in events:
        observer(event, state or SearchState(search_id="abc", history=History(Budget(epochs=7))))
    return checked("".join(lines))


def test_what_json_has_no_word_for_is_null():
    [entry] = written(DecisionMade("mlp", 1, "why", [], {"mlp": math.nan}, time=1.5))
    assert entry["data"]["values"] == {"mlp": None}
    assert entry["time"] == "1970-01-01T00:00:01.500Z"
    assert entry["search_id"] == "abc"


def test_passwords_of_stores_are_not_collected():
    config = {"tracking_uri": "http://me:secret@host:5000", "seed": 0}
    [entry] = written(SearchStarted("abc", "0", config, {}))
    assert entry["data"]["config"] == {"tracking_uri": "http://me:***@host:5000", "seed": 0}


def test_levels():
    events = [
        ArmFailed("mlp", "nan"), SearchFinished("every arm failed", None),
        PullFailed(0, "mlp", "lost"), WorkerLost("w", "lost"), SearchFinished("spent", "mlp"),
    ]  # fmt: skip
    assert [level_of(e) for e in events] == ["error", "error", "warning", "warning", "info"]


NOISE = """
import logging, os, subprocess, sys, warnings
from vaesearch.cli import logs
import click, time
from vaesearch.cli.terminal import _status

@click.command()
@logs.log_format_option
def noisy():
    print("a print", file=sys.stderr)
    os.write(2, b"from C: \\xff\\n\\n")
    subprocess.run(["sh", "-c", "echo of a child >&2"])
    warnings.warn("a warning")
    logging.getLogger("ray").error("%s of a library", "an error")
    print("a result")
    raise {raised}

sys.exit(_status(noisy, sys.argv[1:], False))
"""


def noise(raised, *words, **environment):
    return noisy(NOISE.replace("{raised}", raised), *words, **environment)


def noisy(code, *words, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, env=os.environ | environment, check=False,
    )  # fmt: skip


def test_whatever_is_printed_becomes_a_line_of_json():
    done = noise("ValueError('a \\n b')", "--log-format", "json")
    entries = checked(done.stderr.decode())
    assert done.returncode == 1
    assert done.stdout == b"a result\n"
    told = {(e["level"], e["event"], e["message"].partition("\n")[0]) for e in entries}
    assert told >= {
        ("info", "output", "a print"),
        ("info", "output", "from C: �"),
        ("info", "output", "of a child"),
        ("error", "log", "an error of a library"),
        ("error", "error", "ValueError: a "),
    }
    assert [e["logger"] for e in entries if "a warning" in e["message"]] == ["py.warnings"]


def test_a_log_that_nobody_reads_any_more_stops_nothing():
    reader, writer = os.pipe()
    os.close(reader)
    code = NOISE.replace("{raised}", "SystemExit(7)").replace(
        'print("a result")', 'os.write(2, 1000 * (1000 * b"x" + b"\\n")); print("a result")'
    )
    with os.fdopen(writer):
        done = subprocess.run(
            [sys.executable, "-c", code, "--log-format", "json"],
            stdout=subprocess.PIPE, stderr=writer, timeout=120, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, b"a result\n")


def test_a_log_line_within_a_log_line():
    lines = []

    def write(line):
        if not lines:
            lines.append("")
            log.say("warning", "log", "of an object that goes")
        lines.append(line)

    log = JsonLog(write, lambda: 0.0)
    log.say("info", "note", "outer")
    assert [e["message"] for e in checked("".join(lines))] == ["of an object that goes", "outer"]


CRASH = """
import logging, os, sys
from vaesearch.cli.logs import json_stderr

with json_stderr(lambda: 0.0):
    log = logging.getLogger("ray")
    log.warning("%d of a library", "no number")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("went wrong")
    os.abort()
"""


def test_what_libraries_log_badly_and_how_the_process_crashes():
    done = noisy(CRASH)
    text = done.stderr.decode()
    entries = checked("".join(x + "\n" for x in text.splitlines() if x.startswith("{")))
    [error] = [e for e in entries if e["level"] == "error"]
    assert error["message"].startswith("went wrong\nTraceback")
    assert error["message"].endswith("ZeroDivisionError: division by zero")
    assert "Fatal Python error: Aborted" in text


def test_the_environment_can_ask_for_it_and_wrong_usage_is_json_too():
    done = noise("click.UsageError('no such thing')", VAESEARCH_LOG_FORMAT="json")
    assert done.returncode == 2
    entries = checked(done.stderr.decode())
    assert ("error", "no such thing") in [(e["level"], e["message"]) for e in entries]


def test_text_stays_text():
    done = noise("click.UsageError('no such thing')")
    assert done.stderr.decode(errors="replace").endswith("error: no such thing\n")


def test_a_search(tmp_path):
    path = str(tmp_path / "run")
    command = [
        "bandit", "--dataset", "digits", "--backend", "local", "--image-size", "8", "--width",
        "0.1", "--decoders", "mlp,mlp-wide", "--train-limit", "200", "--epochs", "3",
        "--tracking-uri", "none", "--run-dir", path, "--log-format", "json", "--json",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "vaesearch", *command], capture_output=True, text=True, check=True
    )
    entries = checked(done.stderr)
    ledger = [json.loads(x) for x in Path(path, "ledger.jsonl").read_text().splitlines()]
    of_ledger = [e for e in entries if e["event"] in EVENTS]
    assert [e["event"] for e in of_ledger] == [line["event"] for line in ledger]
    assert {e["search_id"] for e in of_ledger} == {ledger[0]["search_id"]}
    assert {e["run_dir"] for e in entries} == {path}
    assert of_ledger[-1]["spent"] == 3
    assert of_ledger[-1]["best"]["arm"] == json.loads(done.stdout)["best_arm"]


def test_the_page_names_every_key():
    page = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
    keys = {**HEAD, **OF_LEDGER, "logger": None}
    assert not [key for key in keys if f"`{key}`" not in page]
