"""What a person may write for the address of a head, and what was meant."""

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vaesearch.errors import InputError

DASHBOARD_PORT = 8265
_GCS_PORT = 6379
_HOW = f"write http://HOST:{DASHBOARD_PORT}, the address of Ray's dashboard on the head."
_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


@dataclass(frozen=True)
class Address:
    """Where the Jobs API of a head is.

    Attributes:
        url: without a slash at the end, perhaps with a path where a proxy stands before the head.
        host: name or number.
        port: where the connection goes.
    """

    url: str
    host: str
    port: int


def address_of(given: str | None, environ: Mapping[str, str] = os.environ) -> Address:
    """The address that was given, or that the environment names.

    Args:
        given: with ``--address``.
        environ: ``RAY_API_SERVER_ADDRESS`` counts, and ``RAY_ADDRESS`` where it is one of HTTP.

    Raises:
        InputError: there is none, or it is that of another service of Ray.
    """
    if given is not None:
        return parse_address(given, "--address")
    for name in _VARIABLES:
        value = environ.get(name, "")
        if value.startswith(("http://", "https://")) or (value and name == _VARIABLES[0]):
            return parse_address(value, name)
    raise InputError(f"where is the cluster? Give --address, or set {_VARIABLES[0]}:\n{_HOW}")


def parse_address(text: str, source: str = "--address") -> Address:
    """The address in ``text``; without a scheme it is one of HTTP.

    >>> parse_address("https://gate.example/ray/").url
    'https://gate.example/ray'
    >>> parse_address("head:8265").url
    'http://head:8265'

    Raises:
        InputError: it is that of Ray's own protocols, or no address.
    """
    scheme, is_url, rest = text.strip().partition("://")
    if not is_url:
        scheme, rest = "http", text.strip()
    if scheme == "ray":
        host = rest.partition(":")[0] or "HOST"
        raise InputError(
            f"{source} {text}: ray:// is Ray's client protocol (port 10001), which no job goes by."
            f"\nWrite http://{host}:{DASHBOARD_PORT}, the address of the dashboard on the head."
        )
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError(f"{source} {text} is no address ({error}):\n{_HOW}") from error
    if scheme not in ("http", "https") or not name or " " in rest or (not is_url and port is None):
        raise InputError(f"{source} {text} is no address of a head:\n{_HOW}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(f"{source} must be without user, `?` and `#`:\n{_HOW}")
    if port == _GCS_PORT:
        raise InputError(
            f"{source} {text}: port {_GCS_PORT} is where nodes join a cluster, not where jobs are "
            f"taken.\nWrite http://{name}:{DASHBOARD_PORT}, the address of the dashboard there."
        )
    path = parts.path.rstrip("/")
    return Address(
        f"{scheme}://{parts.netloc}{path}", name, port or (443 if scheme == "https" else 80)
    )


def is_loopback(host: str) -> bool:
    """Whether all that ``host`` stands for is this machine itself; not so if it has no number.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("10.0.0.1")
    (True, True, False)
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    numbers = {str(entry[4][0]).partition("%")[0] for entry in found}
    return bool(numbers) and all(ipaddress.ip_address(each).is_loopback for each in numbers)
