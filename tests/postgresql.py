"""A PostgreSQL server of one's own: in a temporary folder, on this machine only."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "s3cret"
PROGRAMS = ("initdb", "pg_ctl", "postgres")


def missing():
    """The programs that are not there."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def _owner():
    """Arguments of ``subprocess.run``: the server refuses to be root's."""
    if os.geteuid() != 0:
        return {}
    users = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in users else "nobody"
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


class Server:
    """A cluster with the user and the database ``tuner``; stopped and started at will."""

    def __init__(self):
        self._as = _owner()
        # Not pytest's own folder, into which only its user may look.
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        if self._as:
            entry = pwd.getpwnam(self._as["user"])
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            "initdb", "--no-sync", "-D", self.folder / "data", "-U", "tuner",
            "-A", "scram-sha-256", "--pwfile", secret, "--locale", "C", "-E", "UTF8",
        )  # fmt: skip
        self.start()

    def url(self, database="postgres", *, password=PASSWORD, driver="postgresql"):
        return f"{driver}://tuner:{password}@127.0.0.1:{self.port}/{database}"

    def start(self):
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories='' "
            "-c fsync=off -c shared_buffers=16MB"
        )
        log = self.folder / "log"
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-l", log, "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-m", "immediate", "stop")

    def make_database(self, name):
        """An empty one; returns its address."""
        import sqlalchemy

        engine = sqlalchemy.create_engine(
            self.url(driver="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)

    def close(self):
        subprocess.run(
            ["pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop"],
            check=False, capture_output=True, cwd="/", **self._as,
        )  # fmt: skip
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command):
        subprocess.run(
            [str(word) for word in command], check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/", **self._as,
        )  # fmt: skip
