"""Questions to a head over HTTP: each is answered in seconds, or refused in words.

Ray's own client waits without end for a machine that does not answer; this one does not.
"""

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs.addresses import DASHBOARD_PORT, Address, is_loopback

ANSWER_SECONDS = 10.0
_TUNNEL = "ssh -N -L {port}:localhost:{port} USER@HEAD"


class NoAnswerError(VaesearchError):
    """A head that was there does not answer; the question may be asked again."""


@dataclass(frozen=True)
class Answer:
    """What a head said.

    Attributes:
        status: of HTTP.
        text: the body.
        elsewhere: the address that it sends us to, which nobody goes to by himself.
    """

    status: int
    text: str
    elsewhere: str = ""

    def data(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def ask(
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Ask once, and nobody but ``url``.

    Raises:
        NoAnswerError: nobody answers, or not in HTTP; its cause says why.
    """
    request = urllib.request.Request(url, headers=dict(headers or {}), method=method)
    try:
        with opener(url).open(request, timeout=seconds) as reply:
            return Answer(reply.status, reply.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")
        return Answer(error.code, text, elsewhere(url, error))
    except urllib.error.URLError as error:
        cause = error.reason if isinstance(error.reason, Exception) else error
        raise NoAnswerError(f"{url} does not answer: {cause}") from cause
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswerError(f"{url} does not answer: {error}") from error


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer like others: what we show to one host is for no other."""

    def redirect_request(self, *words: Any) -> None:
        """Do not go."""


def opener(url: str, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """What asks ``url`` and no other; without a proxy, if it is on this machine."""
    here = is_loopback(urlsplit(url).hostname or "")
    direct = (urllib.request.ProxyHandler({}),) if here else ()
    return urllib.request.build_opener(_Stay(), *direct, *handlers)


def elsewhere(url: str, error: urllib.error.HTTPError) -> str:
    """The address that an answer sends us to, without what asks a question; empty if to none."""
    target = error.headers.get("Location", "") if 300 <= error.code < 400 else ""
    if not target:
        return ""
    parts = urlsplit(urljoin(url, target))
    clean = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return "".join(filter(str.isprintable, clean))[:200]


def unreachable(address: Address, error: NoAnswerError) -> InputError:
    """Why a head cannot be asked, and what to do."""
    cause, where = error.__cause__, f"{address.host}:{address.port}"
    if isinstance(cause, socket.gaierror):
        return InputError(
            f"no machine is called {address.host!r}, seen from here.\n"
            "Check the name, or give the number of the head: http://10.0.0.5:8265."
        )
    if isinstance(cause, ConnectionRefusedError):
        return InputError(
            f"nothing listens at {where}. The dashboard is at port {DASHBOARD_PORT} unless the "
            "head was started with another,\nand only the head itself sees it unless told "
            "otherwise: `ray start --head --dashboard-host=0.0.0.0`, or "
            f"`{_TUNNEL.format(port=address.port)}`."
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return InputError(
            f"the certificate of {where} is not trusted ({cause.verify_message}).\n"
            "Set SSL_CERT_FILE and REQUESTS_CA_BUNDLE to a file with that of your authority."
        )
    if isinstance(cause, ssl.SSLError):
        return InputError(
            f"{where} does not speak TLS: {cause.reason or cause}.\n"
            f"Write http:// in place of https:// for a head without a proxy before it."
        )
    if isinstance(cause, TimeoutError):
        return InputError(
            f"{where} did not answer within {ANSWER_SECONDS:.0f} s: a firewall may be between.\n"
            f"A tunnel goes through: `{_TUNNEL.format(port=address.port)}`, then --address "
            f"http://localhost:{address.port}."
        )
    if isinstance(cause, ConnectionError):
        return not_ray(address, "it hung up")
    if isinstance(cause, OSError) and cause.errno is not None:
        return InputError(
            f"{where} cannot be reached: {cause.strerror or cause}.\n"
            f"A tunnel may go there: `{_TUNNEL.format(port=address.port)}`, then --address "
            f"http://localhost:{address.port}."
        )
    return not_ray(address, "it does not speak HTTP")


def not_ray(address: Address, reason: str) -> InputError:
    """Somebody answers there, who is no dashboard of Ray."""
    return InputError(
        f"{address.url} is no dashboard of a Ray head ({reason}).\n"
        f"Its port is {DASHBOARD_PORT} unless `ray start --head` had another --dashboard-port; "
        "a head needs `ray[default]` for it."
    )
