"""A head that may be talked to: reachable, of our version, and safe enough."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from vaesearch.errors import InputError
from vaesearch.jobs.addresses import Address, address_of, is_loopback
from vaesearch.jobs.asking import Answer, NoAnswerError, ask, not_ray, unreachable
from vaesearch.jobs.tokens import Token, find_token

_SOURCES = "RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token"
_REFUSED = (401, 403)
_OPEN = "disabled"


@dataclass(frozen=True)
class Head:
    """The head of a cluster, asked and found in order.

    Attributes:
        url: of its Jobs API.
        ray_version: that it runs.
        headers: to send with each request; not shown.
        wants_token: it lets nobody in who shows none.
    """

    url: str
    ray_version: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wants_token: bool = False


def find_head(
    given: str | None,
    *,
    insecure: bool = False,
    other_versions: bool = False,
    note: Callable[[str], None] = lambda text: None,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Head:
    """Ask the head at ``given`` whether a job may be sent to it.

    Args:
        given: with ``--address``; None for that of the environment.
        insecure: talk to a head elsewhere that asks for no token.
        other_versions: talk to a head with another Ray than is installed here.
        note: told what is odd and yet no reason to refuse.
        environ: for address, token and further headers.
        home: of the default token.

    Raises:
        InputError: it cannot be reached, is no head, is not safe, wants a token that is missing or
            wrong, or runs another Ray.
    """
    address = address_of(given, environ)
    extra = _extra_headers(environ)
    token = find_token(environ, home)
    headers = dict(extra)
    wants_token = _wants_token(address, extra)
    if wants_token:
        headers |= _key(address, token, extra)
    else:
        _refuse_open(address, insecure)
        if token is not None and token.chosen:
            note(
                f"{address.url} wants no token: that of {token.source} is not sent. Whoever "
                "reaches the port can run code there;\nstart the head with RAY_AUTH_MODE=token."
            )
    ray_version = _version(address, headers, token)
    if not other_versions:
        _refuse_other(address, ray_version)
    return Head(address.url, ray_version, headers, wants_token)


def _extra_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """What Ray's own command sends, too: for proxies that ask who comes."""
    text = environ.get("RAY_JOB_HEADERS", "")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError('RAY_JOB_HEADERS must be JSON, such as {"Cookie": "session=..."}.')
    return {str(name): str(value) for name, value in found.items()}


def _asked(address: Address, path: str, headers: Mapping[str, str]) -> Answer:
    try:
        answer = ask(address.url + path, headers)
    except NoAnswerError as error:
        raise unreachable(address, error) from error
    if answer.elsewhere:
        raise InputError(
            f"{address.url} redirects to {answer.elsewhere}, and tokens are not sent on.\n"
            "If that is the head, give that address; if a proxy wants to know who comes, set "
            "RAY_JOB_HEADERS."
        )
    return answer


def _wants_token(address: Address, headers: Mapping[str, str]) -> bool:
    answer = _asked(address, "/api/authentication_mode", headers)
    if answer.status in _REFUSED:
        raise InputError(
            f"{address.url} refuses ({answer.status}) before Ray is asked: a proxy wants to know "
            'who comes.\nGive what it wants in RAY_JOB_HEADERS, as {"Authorization": "..."}.'
        )
    found = answer.data()
    if isinstance(found, dict) and "authentication_mode" in found:
        return bool(found["authentication_mode"] != _OPEN)
    if answer.status == 404:  # a Ray that is older than tokens, or no Ray at all
        return False
    raise not_ray(address, f"status {answer.status}")


def _key(address: Address, token: Token | None, extra: Mapping[str, str]) -> Mapping[str, str]:
    if token is not None:
        # A proxy may want the usual header for itself.
        taken = any(name.lower() == "authorization" for name in extra)
        return {"X-Ray-" * taken + name: value for name, value in token.headers.items()}
    raise InputError(
        f"{address.url} wants a token, and there is none in {_SOURCES}.\n"
        "On the head `ray get-auth-token` prints it: put it into ~/.ray/auth_token here."
    )


def _refuse_open(address: Address, insecure: bool) -> None:
    if insecure or is_loopback(address.host):
        return
    raise InputError(
        f"{address.url} asks for no token: whoever reaches that port can run code there, and "
        "read what you send.\nStart the head with RAY_AUTH_MODE=token, or use an ssh tunnel; "
        "where the network is your own, --insecure goes on."
    )


def _version(address: Address, headers: Mapping[str, str], token: Token | None) -> str:
    answer = _asked(address, "/api/version", headers)
    if answer.status in _REFUSED:
        source = token.source if token else "RAY_JOB_HEADERS"
        raise InputError(
            f"{address.url} does not accept the token of {source}.\n"
            "It must be that of the head: `ray get-auth-token` prints it there."
        )
    found = answer.data()
    if not isinstance(found, dict) or "ray_version" not in found:
        raise not_ray(address, f"status {answer.status} for /api/version")
    return str(found["ray_version"])


def _refuse_other(address: Address, theirs: str) -> None:
    ours = version("ray")
    if ours != theirs:
        raise InputError(
            f"{address.url} runs Ray {theirs}, and here is Ray {ours}.\n"
            f"Install the same here, `pip install 'ray[default]=={theirs}'`, or on all nodes; "
            "--other-versions tries all the same."
        )
