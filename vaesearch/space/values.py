"""Values, choices and ranges of one parameter, checked against what it can be."""

from collections.abc import Sequence
from typing import Any

from vaesearch.errors import InputError
from vaesearch.space.domains import Choice, Domain, Float, Int, Value, as_number
from vaesearch.space.nodes import Node
from vaesearch.space.slots import COMPONENTS, Slot


def choice(about: Slot, node: Node, items: Sequence[Node]) -> Choice:
    """One of what ``items`` say.

    Raises:
        InputError: one cannot be, or is there twice, or there is nothing to choose between.
    """
    options: list[Value] = []
    for item in items:
        value = value_of(about, item)
        if value in options:
            raise item.error(f"{about.name} has the choice {value} twice.")
        options.append(value)
    if len(options) < 2 and about.name != COMPONENTS:
        instead = f"write {about.name}: {options[0]}" if options else "give two or more"
        raise node.error(f"{about.name} has {len(options) or 'no'} choice: {instead}.")
    if not options:
        raise node.error(f"{about.name} has no choice.")
    return Choice(tuple(options))


def value_of(about: Slot, node: Node) -> Value:
    """A single value, as the option or argument takes it.

    Raises:
        InputError: it is of another type, or refused by the option itself.
    """
    given = node.value
    if isinstance(given, (dict, list)):
        raise node.error(f"{about.name} takes single values here, not {_kind(given)}.")
    if given is None:
        raise node.error(f"{about.name} is empty: give a value, a range or choices.")
    if isinstance(given, bool):
        raise node.error(f"{about.name} cannot be {str(given).lower()}; a name goes in quotes.")
    value: Value = given
    if about.kind == "str":
        value = str(given).strip()
    else:
        number = as_number(given)
        whole = number is not None and number == int(number)
        if about.kind == "int" and not whole:
            raise node.error(f"{about.name} must be a whole number, not {given}.")
        if about.kind == "float" and number is None:
            raise node.error(f"{about.name} must be a number, not {given}.")
        if number is not None:
            value = {"int": int, "float": float}.get(about.kind or "", lambda x: x)(number)
        elif not isinstance(given, str):
            raise node.error(f"{about.name} must be finite, not {given}.")
    _checked(about, node, value)
    return value


def _checked(about: Slot, node: Node, value: Value) -> None:
    try:
        about.check(value)
    except InputError as error:
        raise node.error(str(error)) from error


def _kind(value: Any) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"


def range_of(
    about: Slot, node: Node, low: Any, high: Any, log: bool, step: Any, kind: str | None
) -> Domain:
    """From ``low`` to ``high``, as an option or argument of that kind takes it.

    Args:
        about: what takes it.
        node: where it is written.
        low: a number, or text that is one.
        high: likewise.
        log: whether evenly so in the logarithm.
        step: between values; None for 1, or for none.
        kind: that the writer asked for; None for that of the option, or of the numbers.

    Raises:
        InputError: it is empty, reversed, of the wrong type, or refused by the option itself.
    """
    name = about.name
    if about.kind == "str":
        raise node.error(f"{name} takes names, not a range: write choices, as [A, B].")
    if (about.kind, kind) == ("int", "float"):
        raise node.error(f"{name} is a whole number: write int in place of float.")
    first, last = (_end(name, node, end) for end in (low, high))
    if first == last:
        raise node.error(f"{name} ranges from {first} to {last}: write {name}: {first}.")
    if first > last:
        raise node.error(f"{name} ranges from {first} down to {last}: swap them.")
    if log and first <= 0:
        raise node.error(f"{name} cannot be logarithmic from {first}: start above 0.")
    is_whole = isinstance(first, int) and isinstance(last, int)
    wanted = kind or about.kind or ("int" if is_whole else "float")
    domain = (_whole if wanted == "int" else _any)(name, node, first, last, log, step)
    for end in (domain.low, domain.high):
        _checked(about, node, end)
    return domain


def _end(name: str, node: Node, given: Any) -> int | float:
    number = as_number(given)
    if number is None:
        shown = given if isinstance(given, (str, int, float)) else "something else"
        raise node.error(f"{name} must range between finite numbers, not {shown}.")
    return number


def _any(name: str, node: Node, low: float, high: float, log: bool, step: Any) -> Float:
    if step is not None:
        raise node.error(f"{name} is any number, and step is for whole numbers.")
    return Float(float(low), float(high), log)


def _whole(name: str, node: Node, low: float, high: float, log: bool, step: Any) -> Int:
    for end in (low, high):
        if end != int(end):
            raise node.error(f"{name} must be a whole number, not {end}.")
    if step is None:
        return Int(int(low), int(high), log)
    number = as_number(step)
    if number is None or isinstance(step, bool) or number != int(number) or number < 1:
        raise node.error(f"step of {name} must be a whole number, at least 1, not {step}.")
    if log and number != 1:
        raise node.error(f"{name} has log and step: Optuna takes one of them only.")
    last = int(low) + (int(high) - int(low)) // int(number) * int(number)
    if last != high:
        instead = (
            f"end at {last}" if last > low else f"take a step of {int(high) - int(low)} at most"
        )
        raise node.error(f"{name} does not reach {high} from {low} in steps of {number}: "
                         f"{instead}.")  # fmt: skip
    return Int(int(low), int(high), log, int(number))
