"""The services of ``cluster/compose.yaml`` without containers: their commands, on free ports."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "cluster"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SECRETS = {
    "RAY_AUTH_TOKEN": "0" * 64,
    "PGPASSWORD": "of the database",
    "MLFLOW_TRACKING_USERNAME": "admin",
    "MLFLOW_TRACKING_PASSWORD": "of the pages",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "key",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def filled(text, variables):
    """``text`` as Compose reads it; KeyError where a variable must be set and is not."""

    def value(match):
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    return _VARIABLE.sub(value, text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Box:
    """What was started by the commands of the file, and stops with it.

    Args:
        folder: for artifacts, logs and Ray's files.
        server: a :class:`postgresql.Server`, which gets the user and the databases.
    """

    def __init__(self, folder, server):
        self.folder = folder
        self._server = server
        self._running = []
        self.ports = {name: free_port() for name in COMPOSE["services"]}
        self.ray = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # sockets need a short path
        for name in ("artifacts", "home"):
            (folder / name).mkdir()

    def make_databases(self):
        """What the image of PostgreSQL does when it starts for the first time."""
        import psycopg

        with psycopg.connect(self._server.url(), autocommit=True) as tuner:
            tuner.execute(
                f"CREATE ROLE vaesearch LOGIN SUPERUSER PASSWORD '{SECRETS['PGPASSWORD']}'"
            )
        place = f"host=127.0.0.1 port={self._server.port} dbname=postgres user=vaesearch"
        with psycopg.connect(place, password=SECRETS["PGPASSWORD"], autocommit=True) as own:
            mounted = COMPOSE["services"]["postgres"]["volumes"][1].split(":")[0]
            lines = (FOLDER / mounted).read_text().splitlines()
            for statement in " ".join(s for s in lines if not s.startswith("--")).split(";"):
                if statement.strip():
                    own.execute(statement)

    def environment(self, service, **more):
        """Of a service: its own, and where names of containers are on this machine."""
        own = COMPOSE["services"][service].get("environment", {})
        values = {name: filled(text, SECRETS) for name, text in own.items()}
        if "MLFLOW_AUTH_CONFIG_PATH" in values:
            values["MLFLOW_AUTH_CONFIG_PATH"] = str(FOLDER / "kubernetes" / "mlflow-auth.ini")
        if "MLFLOW_TRACKING_URI" in values:
            values["MLFLOW_TRACKING_URI"] = self.url("mlflow")
        elsewhere = {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(self._server.port)}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RAY_", "MLFLOW_", "PG", "VAESEARCH_"))
        }
        home = {"HOME": str(self.folder / "home"), "OMP_NUM_THREADS": "1"}
        home["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return kept | home | elsewhere | values | more

    def command(self, service, *more):
        """The words of the file, on a port and in folders of one's own."""
        port = self.ports[service]
        words = []
        for word in COMPOSE["services"][service]["command"]:
            word = word.replace("0.0.0.0", "127.0.0.1").replace(
                "=/artifacts", f"={self.artifacts}"
            )
            words.append(re.sub(r"(?<=port=)(5000|8080|8265)\b", str(port), word))
        return [*words, *more]

    @property
    def artifacts(self):
        return self.folder / "artifacts"

    def url(self, service):
        return f"http://127.0.0.1:{self.ports[service]}"

    def start(self, service, *more, **variables):
        """Start one, without waiting."""
        log = (self.folder / f"{service}.log").open("wb")
        process = subprocess.Popen(
            ["env", *self.command(service, *more)], env=self.environment(service, **variables),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder / "home",
        )  # fmt: skip
        log.close()
        self._running.append(process)
        return process

    def wait(self, service, path="/"):
        """Until the service answers."""
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(self.url(service) + path, timeout=10) as answer:
                    return answer.read()
            except OSError:
                ended = any(process.poll() is not None for process in self._running)
                late = time.monotonic() > deadline
                if ended or late:
                    raise AssertionError((self.folder / f"{service}.log").read_text()) from None
                time.sleep(0.2)

    def close(self):
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        for folder in (self.folder, self.ray):
            shutil.rmtree(folder, ignore_errors=True)
