"""An MLflow server of one's own, on PostgreSQL if wanted, with names and passwords if wanted."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ADMIN, PASSWORD = "admin", "s3cr%t @dmin"
PATIENCE = 300.0  # seconds; the machine may be busy


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MlflowServer:
    """``mlflow server`` on this machine only; started and stopped at will.

    Args:
        folder: for artifacts, its log and its users.
        store: address of its database.
        secured: whether it asks for a name and a password.
    """

    def __init__(self, folder, store, *, secured=False):
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process = None
        self._command = [
            sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store,
            "--artifacts-destination", str(folder / "kept"), "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1",
        ]  # fmt: skip
        self._environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
        if secured:
            self._secure()

    def _secure(self):
        users = self.folder / "users.ini"
        users.write_text(
            f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{self.folder}/users.db\n"
            f"admin_username = {ADMIN}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        )
        self._command += ["--app-name", "basic-auth"]
        self._environment |= {
            "MLFLOW_AUTH_CONFIG_PATH": str(users),
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for tests",
        }

    def start(self):
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._is_up():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-3000:]
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.2)
        return self

    def _is_up(self):
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False
        return True

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None
