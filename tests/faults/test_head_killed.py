"""The head dies with the job on it: submitted again to a new head, the search goes on."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
import tiny
from disturbed import ancestors, assert_whole, events_of, is_flying, start, wait_until
from mlflow_servers import free_port

from vaesearch.events import SearchResumed

RAY = Path(sys.executable).with_name("ray")


class Head:
    """``ray start --head`` on this machine only, with a dashboard that takes jobs."""

    def __init__(self, folder, environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            RAY, "start", "--head", "--block", "--node-ip-address", "127.0.0.1", "--num-cpus", "2",
            "--port", str(free_port()), "--dashboard-port", str(self.port),
            "--dashboard-agent-listen-port", str(free_port()), "--object-store-memory",
            str(200 * 2**20), "--temp-dir", str(folder), "--disable-usage-stats",
        ]  # fmt: skip
        folder.mkdir()
        with (folder / "head.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None, (folder / "head.log").read_text()
            assert time.monotonic() < deadline, (folder / "head.log").read_text()
            time.sleep(0.2)

    def _answers(self):
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/api/version", timeout=5):
            return True
        return False

    def cut_power(self):
        """``kill -9`` of everything on it, the job included."""
        mine = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                if self.process.pid in ancestors(pid)]  # fmt: skip
        for pid in mine:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def head(tmp_path):
    """Starts heads; what is left of them ends with the test."""
    heads = []
    home = tmp_path / "home"
    home.mkdir()
    environment = tiny.environment(tmp_path) | {"HOME": str(home)}
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        environment.pop(name, None)

    def start_head():
        folder = Path("/tmp") / f"vs-{os.getpid()}-{len(heads)}"  # sockets have short paths
        heads.append((Head(folder, environment), folder))
        return heads[-1][0]

    yield start_head, environment
    for started, folder in heads:
        started.cut_power()
        subprocess.run(["rm", "-rf", folder], check=False)


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_job_is_submitted_again_to_a_new_head(head, folder, undisturbed, tmp_path):
    start_head, environment = head
    run_dir = tmp_path / "run"

    def submit(to, *more):
        return start(
            "submit", "--address", to.url, *more, "--env", f"VAESEARCH_CACHE={folder}",
            "--env", "OMP_NUM_THREADS=1", "--python", sys.executable, "--",
            "bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--run-dir", run_dir,
            "--workers", "1", "--tracking-uri", "none", "--or-resume",
            cache=folder, env=environment,
        )  # fmt: skip

    first = start_head()
    _, said = submit(first, "--detach").communicate(timeout=120)
    assert wait_until(lambda: is_flying(run_dir), first.process), said
    first.cut_power()
    again = submit(start_head())
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)
    assert sum(isinstance(event, SearchResumed) for event in events_of(run_dir)) == 1
