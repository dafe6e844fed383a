"""Addresses of Optuna storages: which can be used, how to connect, and how to show them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from vaesearch.errors import InputError

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 20
BUSY_SECONDS = 10  # that SQLite waits for another process to let go of the file
_SECRETS = ("password", "passwd", "pwd", "sslpassword")
_KINDS = ("sqlite", "postgresql", "mysql", "mariadb")
_DRIVERS = ("psycopg", "psycopg2")
_INSTALL = {
    "psycopg": "pip install 'vaesearch[postgresql]'",
    "psycopg2": "pip install psycopg2-binary",
    "MySQLdb": "pip install mysqlclient",
}


@dataclass(frozen=True)
class Address:
    """A storage that can be connected to.

    Attributes:
        text: the address as Optuna takes it, with its password.
        shown: the same without its password, fit for files and messages.
        engine: arguments of SQLAlchemy's engine.
        file: of an SQLite database; None for a server.
    """

    text: str
    shown: str
    engine: dict[str, Any]
    file: Path | None


def parse(text: str) -> Address:
    """The address ``text``; nothing is connected to.

    Raises:
        InputError: it is none, or its driver is not installed; says what to give or to install.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InputError(
            f"--storage {_masked(text)} is no database address: write sqlite:///FILE.db or "
            "postgresql://USER@HOST/DATABASE."
        ) from error
    kind = url.get_backend_name()
    if kind not in _KINDS:
        raise InputError(f"--storage {shown(url)}: {kind} is none of {', '.join(_KINDS)}.")
    url = _with_driver(url)
    file = Path(url.database) if kind == "sqlite" and url.database else None
    if kind == "sqlite" and (file is None or str(file) == ":memory:"):
        raise InputError(f"--storage {text} names no file: write sqlite:///PATH/study.db.")
    # Optuna fills in its schema version where a brace is.
    whole = url.render_as_string(hide_password=False)
    escaped = whole.replace("{", "{{").replace("}", "}}")
    return Address(escaped, shown(url), _engine(url), file)


def default_address(path: Path) -> str:
    """The address of the SQLite file ``path``.

    Raises:
        InputError: the path cannot be written as one.
    """
    absolute = path.absolute()
    if set("%?") & set(str(absolute)):  # SQLAlchemy 2.1 decodes them, 2.0 does not: two files
        raise InputError(
            f"{absolute.parent} has a % or ? in it, which a database address cannot hold: "
            f"choose another --run-dir, or give --storage (none for no study)."
        )
    return f"sqlite:///{absolute}"


def shown(url: URL) -> str:
    """An address without passwords, also those behind the question mark."""
    hidden = {key: "***" for key in url.query if key.lower() in _SECRETS}
    text = url.update_query_dict(hidden).render_as_string(hide_password=True)
    return text.replace("%2A", "*")


def without_secrets(message: str, address: str) -> str:
    """``message`` without the password of ``address``, should a driver have repeated it."""
    url = make_url(address)
    secrets = [url.password, *(url.query.get(key) for key in _SECRETS)]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            message = message.replace(secret, "***")
    return message


def _masked(text: str) -> str:
    """What can be shown of an address that cannot be read: nothing before its last ``@``."""
    return re.sub(r"(?<=//).*@", "***@", text)


def _with_driver(url: URL) -> URL:
    """The address with a driver that is installed: the one it names, or one of its kind."""
    try:
        missing = _missing(url)
    except NoSuchModuleError as error:
        raise InputError(f"--storage {shown(url)}: no such driver: {url.drivername}.") from error
    if missing is None:
        return url
    # SQLAlchemy's choice for `postgresql://` is psycopg2 before 2.1 and psycopg since then.
    for driver in _DRIVERS if url.drivername == "postgresql" else ():
        other = url.set(drivername=f"postgresql+{driver}")
        if _missing(other) is None:
            return other
    how = _INSTALL.get(missing, f"pip install {missing}")
    raise InputError(f"--storage {shown(url)} needs {missing}, which is not installed: {how}")


def _missing(url: URL) -> str | None:
    """The package that the driver of an address lacks."""
    try:
        url.get_dialect().import_dbapi()
    except ImportError as error:
        return error.name or url.get_driver_name()
    return None


def _engine(url: URL) -> dict[str, Any]:
    """Connections that end instead of hanging; what the address says itself goes first."""
    kind = url.get_backend_name()
    limits: dict[str, Any]
    if kind == "sqlite":
        limits = {"timeout": BUSY_SECONDS}
    elif kind == "postgresql":
        limits = {
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={1000 * STATEMENT_SECONDS}",
            "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
            "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
        }  # fmt: skip
    else:
        limits = {"connect_timeout": CONNECT_SECONDS}
        limits |= {"read_timeout": STATEMENT_SECONDS, "write_timeout": STATEMENT_SECONDS}
    asked = {key: value for key, value in limits.items() if key not in url.query}
    return {"connect_args": asked, "pool_pre_ping": kind != "sqlite"}
