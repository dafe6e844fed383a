"""Whether MLflow can be reached, and would let us in; asked without MLflow itself."""

import base64
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from http.client import HTTPException
from pathlib import Path
from time import perf_counter
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPSHandler, Request

from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.doctor.disks import runs_of
from vaesearch.doctor.services import database_file
from vaesearch.doctor.versions import installed, numbers
from vaesearch.errors import InputError
from vaesearch.jobs.asking import elsewhere, opener
from vaesearch.search.run_dir import RunDir
from vaesearch.storage import is_url
from vaesearch.tracking.uris import NO_TRACKING, check_uri, default_uri, redacted

NAME = "MLflow"
SECONDS = 10.0
CREDENTIALS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
SEARCH = "/api/2.0/mlflow/experiments/search"


def look_mlflow(question: Question) -> Iterator[Finding]:
    """The store that a search would be tracked in."""
    uri = question.tracking_uri
    if uri == NO_TRACKING:
        yield ok(NAME, "not asked for")
        return
    if installed("mlflow") is None:
        yield warning(NAME, "not installed: searches are not tracked", "pip install mlflow")
        return
    try:
        uri = uri or _default(question)
        check_uri(uri)
    except InputError as error:
        yield fail(NAME, str(error), "correct --tracking-uri")
        return
    if uri.startswith(("http://", "https://")):
        yield look_server(uri)
    elif uri.startswith("sqlite:///"):
        yield database_file(NAME, Path(uri.removeprefix("sqlite:///").partition("?")[0]))
    elif uri.startswith("databricks"):
        yield ok(NAME, f"{uri}: not looked at, since its credentials are Databricks' own")
    else:
        yield look_database(uri)


def _default(question: Question) -> str:
    runs = runs_of(question)
    return default_uri(RunDir(Path("runs" if is_url(runs) else runs) / "any"))


def look_server(uri: str, environ: Mapping[str, str] = os.environ) -> Finding:
    """A server: does it answer, of which version, and with our credentials?"""
    shown, base, headers = redacted(uri), *_access(uri, environ)
    began = perf_counter()
    try:
        version = _get(f"{base}/version", headers, environ).strip()[:20]
        taken = 1000 * (perf_counter() - began)
        _get(base + SEARCH, headers, environ, json.dumps({"max_results": 1}).encode())
    except HTTPError as error:
        return _refused(uri, shown, error)
    except URLError as error:
        reason = getattr(error.reason, "strerror", None) or str(error.reason)
        return fail(NAME, f"{shown} does not answer ({reason})", _start(uri))
    except (OSError, HTTPException, ValueError) as error:
        return fail(NAME, f"{shown} does not answer ({error})", _start(uri))
    ours = installed("mlflow") or ""
    seen = f"{shown}, version {version}, answers in {taken:.0f} ms"
    if not numbers(version):
        return fail(NAME, f"{shown} is a web server, but not MLflow's", _start(uri))
    if numbers(version)[:1] != numbers(ours)[:1]:
        return warning(NAME, seen, f"here is MLflow {ours}: install the same on both sides")
    return ok(NAME, seen)


def _refused(uri: str, shown: str, error: HTTPError) -> Finding:
    if there := elsewhere(uri, error):
        cure = "give the address there with --tracking-uri, if it is one to be trusted"
        return fail(NAME, f"{shown} redirects to {there}", cure)
    text = " ".join(error.read(500).decode(errors="replace").split())
    if error.code == 401:
        return fail(NAME, f"{shown} wants a user and a password", f"set {CREDENTIALS}")
    if "host header" in text.lower():
        cure = "start the server with --allowed-hosts and the name in --tracking-uri"
        return fail(NAME, f"{shown} refuses its own name ({text[:80]})", cure)
    if error.code == 403:
        return fail(NAME, f"{shown} does not let us in ({text[:80]})", f"correct {CREDENTIALS}")
    seen = f"{shown} answers with status {error.code} {text[:80]}"
    return fail(NAME, seen, "look at its log, or correct --tracking-uri")


def _start(uri: str) -> str:
    port = urlsplit(uri).port or 5000
    return f"start it (`mlflow server --port {port}`), open the port, or correct --tracking-uri"


def _access(uri: str, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The address without user and password, and the headers that say who we are."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    user = parts.username or environ.get("MLFLOW_TRACKING_USERNAME")
    password = parts.password or environ.get("MLFLOW_TRACKING_PASSWORD")
    if user is None:
        user, password = _kept()
    if user and password:
        key = base64.b64encode(f"{user}:{password}".encode()).decode()
        return base, {"Authorization": f"Basic {key}"}
    if token := environ.get("MLFLOW_TRACKING_TOKEN"):
        return base, {"Authorization": f"Bearer {token}"}
    return base, {}


def _kept(home: Path | None = None) -> tuple[str | None, str | None]:
    """User and password of MLflow's own file."""
    parser = ConfigParser()
    try:
        parser.read((home or Path.home()) / ".mlflow" / "credentials")
        kept = parser["mlflow"]
    except (Error, KeyError, OSError, UnicodeDecodeError):
        return None, None
    return kept.get("mlflow_tracking_username"), kept.get("mlflow_tracking_password")


def _get(
    url: str, headers: Mapping[str, str], environ: Mapping[str, str], body: bytes | None = None
) -> str:
    context = ssl.create_default_context()
    if environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() == "true":
        context = ssl._create_unverified_context()
    kind = {"Content-Type": "application/json"} if body else {}
    request = Request(url, body, {**headers, **kind})
    with opener(url, HTTPSHandler(context=context)).open(request, timeout=SECONDS) as answer:
        return str(answer.read(1000).decode(errors="replace"))


def look_database(uri: str) -> Finding:
    """A database that MLflow's client would write into itself."""
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    shown = redacted(uri)
    try:
        url = sqlalchemy.make_url(uri)
        knows = url.get_backend_name() in ("postgresql", "mysql")  # others refuse the word
        arguments = {"connect_timeout": int(SECONDS)} if knows else {}
        engine = sqlalchemy.create_engine(url, connect_args=arguments)
        with engine.connect():
            pass
        engine.dispose()
    except ModuleNotFoundError as error:
        seen = f"{shown} needs {error.name}, which is not installed"
        return fail(NAME, seen, "pip install 'vaesearch[postgresql]', and postgresql+psycopg://")
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        return fail(NAME, f"{shown}: {said[:200]}", "start the database, or correct the address")
    return ok(NAME, f"{shown} lets us in")
