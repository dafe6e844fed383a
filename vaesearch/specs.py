"""How a member of an axis is written: ``name[:arguments]``, or ``module:attribute[:arguments]``.

The latter is a user's own: the module may be an installed package or a file in the working
directory.
"""

import difflib
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vaesearch.errors import InputError

_OWN = re.compile(r"\s*((?:[^\W\d]\w*\.)*[^\W\d]\w*):([^\W\d]\w*)\s*(?::(.*))?", re.DOTALL)


def parse_spec(spec: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Split ``name:arguments`` into the name, positional and keyword arguments.

    >>> parse_spec("gaussian:0.1")
    ('gaussian', [0.1], {})
    >>> parse_spec("epsilon-greedy:epsilon=0.2")
    ('epsilon-greedy', [], {'epsilon': 0.2})
    """
    name, _, rest = spec.partition(":")
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if equals:
            keywords[key.strip().replace("-", "_")] = _number(value)
        else:
            positional.append(_number(key))
    return name.strip(), positional, keywords


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


def split_own(spec: str) -> tuple[str, str] | None:
    """Target ``module:attribute`` and arguments of ``spec``; None if it has not that form.

    >>> split_own("my.policies:Greedy:window=2")
    ('my.policies:Greedy', 'window=2')
    >>> split_own("thompson:minimum=2") is None
    True
    """
    found = _OWN.fullmatch(spec)
    return (f"{found[1]}:{found[2]}", found[3] or "") if found else None


def load_own(target: str) -> Callable[..., Any]:
    """Import what ``target`` names.

    Raises:
        InputError: the module cannot be imported, has no such attribute, or that is no callable.
    """
    module, _, attribute = target.partition(":")
    try:
        found = getattr(_module(module), attribute)
    except AttributeError:
        raise InputError(f"{target}: module {module!r} has no {attribute!r}.") from None
    if not callable(found):
        raise InputError(
            f"{target} is of type {type(found).__name__}; name a class or a function."
        )
    return found  # type: ignore[no-any-return]


def _module(name: str) -> Any:
    # The `vaesearch` command, unlike `python -m vaesearch`, does not look where the user is.
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if missing == name or name.startswith(f"{missing}."):
            raise InputError(
                f"no module {missing!r} can be imported, here ({folder}) or as a package."
            ) from error
        raise InputError(f"module {name!r} needs {missing!r}, which is not installed.") from error
    # Whatever a user's module may raise while it is read.
    except Exception as error:
        raise InputError(
            f"module {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def build_own(kind: str, spec: str, context: dict[str, Any], known: Sequence[str]) -> Any:
    """Make the member that ``spec`` describes, which is none of the ``known`` ones.

    Args:
        kind: of member, for messages; a ``policy`` must have a method ``choose``.
        spec: ``module:attribute[:arguments]``.
        context: keyword arguments from the caller.
        known: names, one of which may have been meant.

    Raises:
        InputError: as :func:`load_own`, or it cannot be made of these arguments.
    """
    target, arguments = split_own(spec) or (spec, "")
    _, positional, keywords = parse_spec(f"own:{arguments}")
    try:
        built = _made(target, positional, context | keywords)
    except InputError as error:
        near = difflib.get_close_matches(parse_spec(spec)[0], known, n=1, cutoff=0.5)
        hint = f" Did you mean the {kind} {near[0]!r}?" if near else ""
        raise InputError(f"{kind} {spec!r}: {error}{hint}") from error
    if kind == "policy" and not callable(getattr(built, "choose", None)):
        raise InputError(f"policy {spec!r}: a {type(built).__name__} has no method `choose`.")
    return built


def _made(target: str, positional: list[Any], keywords: dict[str, Any]) -> Any:
    factory = load_own(target)
    try:
        return factory(*positional, **keywords)
    except InputError:
        raise
    # Whatever a user's class may raise.
    except Exception as error:
        raise InputError(f"cannot be made: {type(error).__name__}: {error}") from error
