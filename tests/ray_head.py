"""A real head of a Ray cluster with its dashboard, on free ports of this machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

START_SECONDS = 120.0
_PORTS = (
    "--port", "--dashboard-port", "--ray-client-server-port", "--dashboard-agent-listen-port",
    "--metrics-export-port",
)  # fmt: skip


def free_ports(count):
    """Ports that nobody has at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def descendants(process):
    """Numbers of the children of a process, of theirs, and so on."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = dict(map(int, line.split()) for line in listing.splitlines())
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


class RayHead:
    """``ray start --head`` while it is entered; with a ``token`` it lets nobody else in.

    Args:
        token: that it asks for.
        cpus: that it says to have.
        environ: of its processes, beside that of the tests.
    """

    def __init__(self, token=None, cpus=2, environ=None):
        self.folder = Path(
            tempfile.mkdtemp(prefix="rh", dir="/tmp")
        )  # Ray's sockets need it short
        self._ports = free_ports(len(_PORTS))
        self.url = f"http://127.0.0.1:{self._ports[1]}"
        self.address = f"127.0.0.1:{self._ports[0]}"
        self._cpus, self._process = cpus, None
        self._environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "VAESEARCH_"))},
            "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "token" if token else "disabled",
            # As an activated environment does.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **({"RAY_AUTH_TOKEN": token} if token else {}), **(environ or {}),
        }  # fmt: skip

    def start(self):
        """Start it, and return when its dashboard answers."""
        ports = [f"{name}={port}" for name, port in zip(_PORTS, self._ports, strict=True)]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
                    "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", *ports,
                    f"--num-cpus={self._cpus}", "--object-store-memory=150000000",
                    "--min-worker-port=0", "--max-worker-port=0", f"--temp-dir={self.folder}",
                ],
                env=self._environ, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.2)

    def _answers(self):
        # A head whose agents are not up takes no jobs yet, but waits for them by itself.
        try:
            urllib.request.urlopen(f"{self.url}/api/version", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 401
        except OSError:
            return False
        return True

    def kill(self):
        """End all its processes at once, as when the machine goes."""
        if self._process is None:
            return
        for process in [*descendants(self._process.pid), self._process.pid]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
