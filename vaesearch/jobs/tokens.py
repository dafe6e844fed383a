"""The token that a head may ask for: where Ray itself looks for it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vaesearch.errors import InputError

_DEFAULT = Path(".ray") / "auth_token"


@dataclass(frozen=True)
class Token:
    """A secret and where it was found.

    Attributes:
        secret: never shown.
        source: for messages.
        chosen: somebody set it for this very purpose; the default file may be left from a
            cluster on this machine.
    """

    secret: str
    source: str
    chosen: bool

    def __repr__(self) -> str:
        return f"Token(from {self.source})"

    @property
    def headers(self) -> dict[str, str]:
        """What to send with each request."""
        return {"Authorization": f"Bearer {self.secret}"}


def find_token(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> Token | None:
    """The token of ``RAY_AUTH_TOKEN``, ``RAY_AUTH_TOKEN_PATH`` or ``~/.ray/auth_token``.

    Raises:
        InputError: the file that ``RAY_AUTH_TOKEN_PATH`` names cannot be read or is empty, or
            a token is no text of one line.
    """
    if secret := environ.get("RAY_AUTH_TOKEN", "").strip():
        return _token(secret, "RAY_AUTH_TOKEN", chosen=True)
    if named := environ.get("RAY_AUTH_TOKEN_PATH", ""):
        source = f"RAY_AUTH_TOKEN_PATH {named}"
        secret = _read(Path(named), source)
        if not secret:
            raise InputError(f"{source}: the file is empty; it must hold the token of the head.")
        return _token(secret, source, chosen=True)
    path = (home or Path.home()) / _DEFAULT
    secret = _read(path, str(path)) if path.is_file() else ""
    return _token(secret, str(path), chosen=False) if secret else None


def _token(secret: str, source: str, *, chosen: bool) -> Token:
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise InputError(f"{source} is no token: it must be one line of ASCII without spaces.")
    return Token(secret, source, chosen)


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(f"cannot read the token of {source}: {reason}.") from error
