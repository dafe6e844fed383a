"""Where MLflow keeps things: which addresses are usable, and how to look at them."""

import os
import re
import sys
from collections.abc import MutableMapping
from urllib.parse import unquote, urlsplit

from vaesearch.errors import InputError, unknown_name
from vaesearch.search.run_dir import RunDir

NO_TRACKING = "none"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https", "databricks")
_SQLITE = "sqlite:///"
_VARIABLE = "MLFLOW_TRACKING_URI"
SECRET_URI = "VAESEARCH_TRACKING_URI"  # tells the uploader an address with a password
# To the last @, should one be in the password; databases take a / in it, too.
_PASSWORD = re.compile(r"(://[^/@:]*):.*@")
_PASSWORD_OF_SERVER = re.compile(r"(://[^/@:]*):[^/]*@")
_OPTION = re.compile(r"(?<=[?&])(?:password|passwd|pwd|sslpassword)=[^&]*&?", re.IGNORECASE)
_OPTION_SHOWN = re.compile(r"(?i)(?<=[?&])((?:password|passwd|pwd|sslpassword)=)[^&\s]*")
_ADDRESS = re.compile(r"\w[\w+]*://\S+")


def uri_of_environment() -> str | None:
    """What MLFLOW_TRACKING_URI says: on a cluster, the server that all nodes know."""
    return os.environ.get(_VARIABLE) or None


def default_uri(run_dir: RunDir) -> str:
    """Of MLFLOW_TRACKING_URI, or the file ``mlflow.db`` beside ``run_dir``, shared by all there.

    Raises:
        InputError: the path cannot be written as a database address.
    """
    if given := uri_of_environment():
        return given
    path = run_dir.path.absolute().parent / "mlflow.db"
    if set("%?") & set(str(path)):  # SQLAlchemy 2.1 decodes them, 2.0 does not: two files
        raise InputError(
            f"{path} has a % or ? in it, which a database address cannot hold: "
            "choose another folder for runs, or give --tracking-uri."
        )
    return f"{_SQLITE}{path}"


def check_uri(uri: str) -> None:
    """Refuse an address that could never work; whether it answers is not asked.

    Raises:
        InputError: says what to give instead.
    """
    kind = _kind(uri)
    if kind in ("", "file"):
        raise InputError(_no_folders(uri))
    if kind not in (*_DATABASES, *_SERVERS):
        raise unknown_name("kind of --tracking-uri", kind, (*_DATABASES, *_SERVERS))
    if kind == "sqlite" and uri.removeprefix(_SQLITE) in ("", uri):
        raise InputError(f"--tracking-uri {uri} names no file: write {_SQLITE}PATH/mlflow.db.")
    if kind in ("http", "https"):
        _check_server(uri)


def _check_server(uri: str) -> None:
    if not urlsplit(uri).hostname:
        raise InputError(f"--tracking-uri {uri} names no host: write http://HOST:PORT.")
    try:
        _ = urlsplit(uri).port
    except ValueError as error:  # not repeated, since it may be the rest of a password
        raise InputError(
            "--tracking-uri has no number as its port: write http://HOST:PORT, and in a password "
            "%2F for / and %40 for @."
        ) from error


def _kind(uri: str) -> str:
    """What comes before ``://``, ``+driver`` left out; empty for a path."""
    if uri.startswith("databricks"):
        return "databricks"
    scheme, colon, _ = uri.partition(":")
    return scheme.partition("+")[0].lower() if colon else ""


def _no_folders(uri: str) -> str:
    path = uri.removeprefix("file:").removeprefix("//")
    suggestion = f"{_SQLITE}{path.rstrip('/') or '.'}/mlflow.db"
    return (
        f"--tracking-uri {uri} is a folder, and MLflow keeps runs in a database or on a server: "
        f"write {suggestion} or http://HOST:PORT, or none for no tracking."
    )


def is_server(uri: str) -> bool:
    """Whether a server answers at ``uri``, which then decides where artifacts go."""
    return uri.startswith(_SERVERS)


def redacted(uri: str) -> str:
    """``uri`` as it may be shown: stars in the place of any password."""
    return _OPTION_SHOWN.sub(r"\1***", _password(uri).sub(r"\1:***@", uri))


def redacted_in(text: str) -> str:
    """``text`` with stars in the place of the passwords of all addresses in it."""
    return _ADDRESS.sub(lambda found: redacted(found[0]), text)


def _password(uri: str) -> re.Pattern[str]:
    return _PASSWORD_OF_SERVER if is_server(uri) else _PASSWORD


def without_password(uri: str) -> str:
    """``uri`` as it may be kept in files: with the user's name, without any password."""
    bare = _password(uri).sub(r"\1@", uri)
    return _OPTION.sub("", bare).rstrip("?&") if _OPTION.search(bare) else bare


def identity(uri: str) -> str:
    """What names a store, whoever asks it: no password, and of a server no user either."""
    bare = without_password(uri)
    return re.sub(r"(?<=://)[^/@]*@", "", bare) if is_server(uri) else bare


def connectable(uri: str, environment: MutableMapping[str, str]) -> str:
    """``uri`` as MLflow's client takes it.

    The user and the password in the address of a server go into ``environment``, where MLflow
    looks for them, since errors repeat addresses.
    """
    if not uri.startswith(("http://", "https://")):
        return uri
    parts = urlsplit(uri)
    if parts.username:
        environment["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
    if parts.password:
        environment["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password)
    return identity(uri)


def ui_command(uri: str, port: int = 5000) -> list[str]:
    """The command that shows the database at ``uri`` in a browser, on this machine only.

    Raises:
        InputError: ``uri`` is a server, which has its own pages.
    """
    if is_server(uri):
        raise InputError(f"{redacted(uri)} is a server: open it in a browser.")
    return [
        sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri,
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
