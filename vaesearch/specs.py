"""How a member of an axis is written: ``name[:arguments]``, or ``module:attribute[:arguments]``.

The latter is a user's own: the module may be an installed package or a file in the working
directory.
"""

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vaesearch.errors import InputError

_OWN = re.compile(r"\s*((?:[^\W\d]\w*\.)*[^\W\d]\w*):([^\W\d]\w*)\s*(?::(.*))?", re.DOTALL)
_ARGUMENT = re.compile(r"[^\W\d][\w-]*\s*=|[-+.\d]")
_UNSAFE = re.compile(r"[^\w.,=+-]")


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


def split_list(text: str) -> list[str]:
    """Members from ``a,b``; a comma between the arguments of one member does not part it.

    >>> split_list("mlp, mine:Net:depth=2,name=x, conv")
    ['mlp', 'mine:Net:depth=2,name=x', 'conv']
    """
    members: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        if members and ":" in members[-1] and _ARGUMENT.match(part):
            members[-1] += f",{part}"
        else:
            members.append(part)
    return members


def folder_name(spec: str) -> str:
    """``spec`` as the name of a folder on any file system, the same where it already is one.

    >>> folder_name("conv+mlp"), folder_name("my.nets:Mine:depth=2")
    ('conv+mlp', 'my.nets_Mine_depth=2')
    """
    return _UNSAFE.sub("_", spec).lstrip(".") or "_"


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
        context: keyword arguments from the caller; those that the user's callable does not take
            are left out.
        known: names, one of which may have been meant.

    Raises:
        InputError: as :func:`load_own`, or it cannot be made of these arguments.
    """
    target, arguments = split_own(spec) or (spec, "")
    _, positional, keywords = parse_spec(f"own:{arguments}")
    try:
        factory = load_own(target)
    except InputError as error:
        # A name with a slip in it, and a colon behind it, is looked for as a module.
        is_lost = isinstance(error.__cause__, ModuleNotFoundError)
        name = parse_spec(spec)[0]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5) if is_lost else []
        hint = f" Did you mean the {kind} {near[0]!r}?" if near else ""
        raise InputError(f"{kind} {spec!r}: {error}{hint}") from error
    try:
        built = _made(factory, positional, keywords, context)
    except InputError as error:
        raise InputError(f"{kind} {spec!r}: {error}") from error
    if kind == "policy" and not callable(getattr(built, "choose", None)):
        raise InputError(f"policy {spec!r}: a {type(built).__name__} has no method `choose`.")
    return built


def _made(
    factory: Callable[..., Any],
    positional: list[Any],
    keywords: dict[str, Any],
    context: dict[str, Any],
) -> Any:
    """Call the factory with the user's arguments and as much of ``context`` as it takes."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):  # written in C, it has none to be read
        return _called(factory, positional, context | keywords)
    kinds = {p.kind for p in signature.parameters.values()}
    takes_all = inspect.Parameter.VAR_KEYWORD in kinds
    offered = {k: v for k, v in context.items() if takes_all or k in signature.parameters}
    try:
        signature.bind(*positional, **offered | keywords)
    except TypeError as error:
        known = f" It is offered {', '.join(context)}; give others in its name." if context else ""
        raise InputError(f"cannot be made: TypeError: {error}.{known}") from error
    return _called(factory, positional, offered | keywords)


def _called(factory: Callable[..., Any], positional: list[Any], keywords: dict[str, Any]) -> Any:
    try:
        return factory(*positional, **keywords)
    except InputError:
        raise
    # Whatever a user's class may raise.
    except Exception as error:
        raise InputError(f"cannot be made: {type(error).__name__}: {error}") from error
