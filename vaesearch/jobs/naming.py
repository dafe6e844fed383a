"""Names of jobs: made so that people can read them, and found by their beginnings."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from vaesearch.errors import InputError

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_SHOWN = 5


def job_id(command: str, dataset: str, mark: str) -> str:
    """A name that nobody else has, with ``mark`` made at random.

    >>> job_id("bandit", "photos/My cats.npz", "ab12cd")
    'vaesearch-bandit-My-cats-ab12cd'
    """
    word = re.sub(r"[^A-Za-z0-9]+", "-", Path(dataset).stem).strip("-")[:30]
    return "-".join(filter(None, ("vaesearch", command, word, mark)))


def check_id(name: str) -> str:
    """``name``, if it can be that of a job.

    Raises:
        InputError: it cannot.
    """
    if not _ALLOWED.fullmatch(name):
        raise InputError(
            f"--id {name!r}: use letters, digits, `-`, `_` and `.`, at most 80, the first of them "
            "a letter or digit."
        )
    return name


def find_id(text: str, known: Sequence[str]) -> str:
    """The job that ``text`` names, in full or by a beginning that no other has.

    Raises:
        InputError: there is none, or there are several; says which are near.
    """
    if text in known:
        return text
    begin = [name for name in known if name.startswith(text)] if text else []
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise InputError(f"{text!r} is the beginning of {len(begin)} jobs: {_few(begin)}.")
    inside = [name for name in known if text and text in name]
    near = inside or difflib.get_close_matches(text, known, n=_SHOWN, cutoff=0.5)
    if near:
        raise InputError(f"no job {text!r}: did you mean {_few(near)}?")
    raise InputError(f"no job {text!r} on this cluster: `vaesearch jobs --all` lists them.")


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
