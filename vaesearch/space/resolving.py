"""From what is written of each parameter to a space: conditions, their order, and constants."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from vaesearch.errors import unknown_name
from vaesearch.space.core import Parameter, Space, condition, split_name
from vaesearch.space.domains import Choice, Domain, Float, Value
from vaesearch.space.forms import Draft
from vaesearch.space.nodes import Node
from vaesearch.space.slots import COMPONENTS

When = dict[str, tuple[Value, ...]]


def resolve(drafts: Mapping[str, Draft], changed: Collection[str] = ()) -> Space:
    """The space of these parameters.

    Args:
        drafts: by name, in the order of the file.
        changed: options that the command line set anew; arguments that the file nests inside of
            members that are no choice any more are left out.

    Raises:
        InputError: a condition that is on nothing, goes in circles or can never hold.
    """
    kept = {name: draft for name, draft in drafts.items() if name != COMPONENTS}
    for name, draft in list(kept.items()):
        if draft.nested and split_name(name)[0] in changed and not _has_member(name, kept):
            del kept[name]
    whens = {name: _when(draft, kept, changed) for name, draft in kept.items()}
    ordered = _ordered(kept, whens)
    for name in ordered:
        _refuse_never(kept[name], whens)
    parameters, constants = [], {}
    for name in ordered:
        draft = kept[name]
        if draft.domain is None:
            constants[name] = draft.content
        else:
            parameters.append(Parameter(name, draft.domain, draft.default, whens[name]))
    return Space(tuple(parameters), constants, _components(drafts.get(COMPONENTS)))  # type: ignore[arg-type]


def _components(draft: Draft | None) -> Domain | None:
    if draft is None:
        return None
    if draft.when or draft.default is not None:
        raise Node(None, draft.where).error(
            f"{COMPONENTS} has neither default nor when: it is chosen after training."
        )
    return draft.domain or Choice((draft.content,))  # type: ignore[arg-type]


def _has_member(name: str, drafts: Mapping[str, Draft]) -> bool:
    option, member, _ = split_name(name)
    return option in drafts and _can_be(drafts[option], member) is not None


def _can_be(draft: Draft, value: object) -> Value | None:
    """The value as ``draft`` writes it, or None if it is never that."""
    domain = draft.domain or Choice((draft.content,))  # type: ignore[arg-type]
    return domain.accept(value)


def _when(draft: Draft, drafts: Mapping[str, Draft], changed: Collection[str]) -> When:
    """The conditions of ``draft``, without those that always hold."""
    node = Node(None, draft.where)
    found: When = {}
    if "." in draft.name:
        option, member, _ = split_name(draft.name)
        if not _has_member(draft.name, drafts):
            if option not in drafts:
                raise node.error(f"{draft.name} needs {option} in the space: add {option}: "
                                 f"{member}.")  # fmt: skip
            raise node.error(_never(drafts[option], member, draft.name))
        if drafts[option].domain is not None:
            found[option] = (member,)
    for name, asked in draft.when.items():
        if name not in drafts:
            known = [other for other in drafts if other != draft.name] or ["nothing else"]
            raise asked.error(str(unknown_name(f"name in when of {draft.name}", name, known)))
        allowed = _allowed(draft, drafts[name], asked, name in changed)
        if name in found:
            allowed = tuple(value for value in found[name] if value in allowed)
            if not allowed:
                raise asked.error(f"{draft.name} belongs to {name} {found[name][0]} and can have "
                                  "no other.")  # fmt: skip
        if not _always(drafts[name], allowed):
            found[name] = allowed
    return found


def _always(parent: Draft, allowed: tuple[Value, ...]) -> bool:
    """Whether ``parent`` is always there, with one of these values."""
    if parent.domain is None:
        return True
    is_conditional = bool(parent.when) or "." in parent.name
    domain = parent.domain
    return not is_conditional and isinstance(domain, Choice) and set(domain.options) <= {*allowed}


def _allowed(draft: Draft, parent: Draft, asked: Node, is_changed: bool) -> tuple[Value, ...]:
    """The values asked for; of a parent that the command line changed, those that are left."""
    if isinstance(parent.domain, Float):
        raise asked.error(f"{parent.name} is any number in {parent.domain.text()}; conditions "
                          "are on choices and whole numbers.")  # fmt: skip
    allowed: list[Value] = []
    items = asked.value if isinstance(asked.value, list) else [asked]
    for item in items:
        value = None if isinstance(item.value, (list, dict)) else _can_be(parent, item.value)
        if value is None and is_changed and item is not items[-1]:
            continue
        if value is None and not (is_changed and allowed):
            shown = "that" if isinstance(item.value, (list, dict)) else item.value
            raise item.error(_never(parent, shown, draft.name))
        if value is not None and value not in allowed:
            allowed.append(value)
    if not allowed:
        raise asked.error(f"when of {draft.name} names no value of {parent.name}.")
    return tuple(allowed)


def _never(parent: Draft, value: object, name: str) -> str:
    known = f"in {parent.domain.text()}" if parent.domain else f"fixed at {parent.content}"
    source = f" ({parent.where})" if parent.where.startswith("--") else ""
    return f"{name} needs {parent.name} {value}, and {parent.name} is {known}{source}."


def _ordered(drafts: Mapping[str, Draft], whens: Mapping[str, When]) -> list[str]:
    """Names, each after those of its conditions, and else as in the file."""
    ordered: list[str] = []
    waiting = list(drafts)
    while waiting:
        ready = next((n for n in waiting if all(p in ordered for p in whens[n])), None)
        if ready is None:
            circle = _circle(waiting, whens)
            where = drafts[circle[0]]
            node = next(iter(where.when.values()), Node(None, where.where))
            raise node.error(f"conditions go in a circle: {' -> '.join([*circle, circle[0]])}.")
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def _circle(waiting: list[str], whens: Mapping[str, When]) -> list[str]:
    path = [waiting[0]]
    while True:
        name = next(parent for parent in whens[path[-1]] if parent in waiting)
        if name in path:
            return path[path.index(name) :]
        path.append(name)


def _refuse_never(draft: Draft, whens: Mapping[str, When]) -> None:
    """Refuse conditions that exclude those of the parameters that they are on."""
    needed: When = {}
    waiting = [draft.name]
    while waiting:
        name = waiting.pop()
        for parent, allowed in whens[name].items():
            both = tuple(v for v in needed.get(parent, allowed) if v in allowed)
            if not both:
                one, other = condition({parent: needed[parent]}), condition({parent: allowed})
                raise Node(None, draft.where).error(
                    f"{draft.name} is never there: that needs {one}, and also {other}."
                )
            needed[parent] = both
            waiting.append(parent)


def override(before: Draft | None, after: list[Draft]) -> list[Draft]:
    """``after``, from the command line, with the conditions and the default of the file."""
    first, *rest = after
    if before is None or first.domain is None:
        return after
    default = None if before.default is None else first.domain.accept(before.default)
    kept = replace(first, default=default, when=before.when, nested=before.nested)
    return [kept, *rest]
