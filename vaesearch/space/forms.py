"""The two ways to write what a parameter may be: in full, and in short as after ``--set``."""

from dataclasses import dataclass, field

from vaesearch.errors import InputError, unknown_name
from vaesearch.space.domains import Choice, Domain, Float, Int, Value
from vaesearch.space.nodes import Node
from vaesearch.space.slots import Slot, canonical, slot
from vaesearch.space.values import choice, range_of, value_of
from vaesearch.specs import split_list

KINDS = ("float", "int", "choices")
KEYS = (*KINDS, "log", "step", "default", "when")
RANGES = "LOW..HIGH, LOW..HIGH:log or LOW..HIGH:step=N"


@dataclass(frozen=True)
class Draft:
    """What is written of a parameter, before it is held against the others.

    Attributes:
        name: of the parameter.
        where: it was written.
        content: what it may be, or the value that it has.
        default: as in :class:`~vaesearch.space.Parameter`.
        when: the conditions as written.
        nested: whether it is written inside the choice that it belongs to.
    """

    name: str
    where: str
    content: Domain | Value
    default: Value | None = None
    when: dict[str, Node] = field(default_factory=dict)
    nested: bool = False

    @property
    def domain(self) -> Domain | None:
        """What it may be; None for a constant."""
        return self.content if isinstance(self.content, (Float, Int, Choice)) else None


def read_draft(name: str, node: Node, *, nested: bool = False) -> list[Draft]:
    """The parameter, and those that are written inside of its choices.

    Raises:
        InputError: something is wrong with it; says what is allowed.
    """
    try:
        about = slot(name)
    except InputError as error:
        raise node.error(str(error)) from error
    value = node.value
    if isinstance(value, dict):
        return _long(about, node, value, nested)
    content: Domain | Value
    if isinstance(value, list):
        content = choice(about, node, value)
    else:
        content = _short(about, node, value) if isinstance(value, str) else value_of(about, node)
    return [Draft(about.name, node.where, content, _own_default(about, content), nested=nested)]


def _long(about: Slot, node: Node, entries: dict[str, Node], nested: bool) -> list[Draft]:
    for key in entries:
        if key not in KEYS:
            raise entries[key].error(str(unknown_name(f"key of {about.name}", key, KEYS)))
    given = [kind for kind in KINDS if kind in entries]
    if len(given) != 1:
        raise node.error(f"{about.name} needs one of float, int and choices, not "
                         f"{' and '.join(given) or 'none'}.")  # fmt: skip
    inner: list[Draft] = []
    domain: Domain
    if given == ["choices"]:
        for key in {"log", "step"} & set(entries):
            raise entries[key].error(f"{key} is for ranges, and {about.name} has choices.")
        domain, inner = _choices(about, entries["choices"])
    else:
        domain = _long_range(about, given[0], entries)
    default = _default(about, domain, entries.get("default"))
    return [Draft(about.name, node.where, domain, default, _when(entries.get("when")), nested),
            *inner]  # fmt: skip


def _long_range(about: Slot, kind: str, entries: dict[str, Node]) -> Domain:
    log, step, ends = entries.get("log"), entries.get("step"), entries[kind]
    if step is not None and kind == "float":
        raise step.error("step is for int.")
    if log is not None and not isinstance(log.value, bool):
        raise log.error("log must be true or false.")
    if not isinstance(ends.value, list) or len(ends.value) != 2:
        raise ends.error(f"{kind} of {about.name} must be [LOW, HIGH].")
    low, high = (end.value for end in ends.value)
    is_log = log is not None and log.value is True
    return range_of(about, ends, low, high, is_log, step and step.value, kind)


def _default(about: Slot, domain: Domain, node: Node | None) -> Value | None:
    if node is None:
        return _own_default(about, domain)
    value = domain.accept(node.value)
    if value is None:
        shown = "that" if isinstance(node.value, (list, dict)) else node.value
        raise node.error(f"the default of {about.name} must be in {domain.text()}, not {shown}.")
    return value


def _own_default(about: Slot, content: Domain | Value) -> Value | None:
    """That of the argument of a member, where it lies inside."""
    if about.default is None or not isinstance(content, (Float, Int, Choice)):
        return None
    return content.accept(about.default)


def _when(node: Node | None) -> dict[str, Node]:
    if node is None:
        return {}
    if not isinstance(node.value, dict) or not node.value:
        raise node.error("when must be {NAME: VALUE} or {NAME: [VALUE, VALUE]}.")
    return {canonical(name): value for name, value in node.value.items()}


def _choices(about: Slot, node: Node) -> tuple[Choice, list[Draft]]:
    """From a list, or from a mapping of members to what is searched of their arguments."""
    if isinstance(node.value, list):
        return choice(about, node, node.value), []
    if not isinstance(node.value, dict):
        raise node.error(f"choices of {about.name} must be [A, B, ...] or {{A: , B: ...}}.")
    names = [Node(name, inner.where) for name, inner in node.value.items()]
    inner = [draft for member, node in node.value.items()
             for draft in _nested(about, member, node)]  # fmt: skip
    return choice(about, node, names), inner


def _nested(about: Slot, member: str, node: Node) -> list[Draft]:
    if node.value is None:
        return []
    if not isinstance(node.value, dict):
        raise node.error(f"below {member} must be its arguments, as {{steps: 2..8}}, or nothing.")
    return [
        draft
        for argument, inner in node.value.items()
        for draft in read_draft(
            f"{about.name}.{member}.{argument.replace('-', '_')}", inner, nested=True
        )
    ]


def _short(about: Slot, node: Node, text: str) -> Domain | Value:
    if ".." in text:
        low, _, rest = text.partition("..")
        high, *modifiers = rest.split(":")
        log, step = False, None
        for modifier in modifiers:
            key, _, value = modifier.partition("=")
            if modifier == "log":
                log = True
            elif key == "step":
                step = value
            else:
                raise node.error(f"{text} is no range: write {RANGES}.")
        return range_of(about, node, low.strip(), high.strip(), log, step, None)
    inside = text.strip()
    if inside.startswith("[") and inside.endswith("]"):
        items = split_list(inside[1:-1])
        return choice(about, node, [Node(item, node.where) for item in items])
    items = split_list(inside)
    if len(items) > 1:
        return choice(about, node, [Node(item, node.where) for item in items])
    return value_of(about, Node(inside, node.where) if inside else Node(None, node.where))
