"""YAML as a tree whose every part knows the line that it stands in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaesearch.errors import InputError

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A part of a file, or of what was given on the command line.

    Attributes:
        value: a scalar, a list of nodes, or a mapping of names to nodes.
        where: it stands, as ``FILE:LINE``; in a mapping that is the line of its name.
    """

    value: "Scalar | list[Node] | dict[str, Node]"
    where: str

    def error(self, text: str) -> InputError:
        """What is wrong with it, in one line, and where it stands."""
        return InputError(" ".join(f"{self.where}: {text}".split()))


def read_nodes(path: Path) -> Node:
    """The tree of a YAML file.

    Raises:
        InputError: it cannot be read, is not YAML, or has a name twice in one mapping.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return Node(None, f"{path}:1") if root is None else _node(root, path, None, ())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(f"{path}:{line}: not YAML: {_words(error.problem)}.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{path}:{line}: not YAML: {error.reason}.") from error


def _words(error: Any) -> str:
    return " ".join(str(error).split())


def _node(raw: Any, path: Path, line: int | None, above: tuple[Any, ...]) -> Node:
    """Args: ``line`` of the name that ``raw`` belongs to; ``above``, what it is inside of."""
    import yaml

    where = f"{path}:{(raw.start_mark.line if line is None else line) + 1}"
    if any(raw is other for other in above):
        raise InputError(f"{where}: an alias stands inside of what it names.")
    inside = (*above, raw)
    if isinstance(raw, yaml.MappingNode):
        return Node(_mapping(raw, path, inside), where)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(item, path, None, inside) for item in raw.value], where)
    return Node(_scalar(raw), where)


def _mapping(raw: Any, path: Path, inside: tuple[Any, ...]) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    for key, value in raw.value:
        line = key.start_mark.line
        if not isinstance(key.value, str):
            raise InputError(f"{path}:{line + 1}: a name is wanted before the colon.")
        if key.value in entries:
            first = entries[key.value].where.rpartition(":")[2]
            raise InputError(
                f"{path}:{line + 1}: {key.value} is given twice, in line {first} before: "
                "keep one of them."
            )
        entries[key.value] = _node(value, path, line, inside)
    return entries


def _scalar(raw: Any) -> Scalar:
    """What YAML makes of it; dates and the like stay text."""
    import yaml

    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(raw)
    except ValueError:  # what looks like a date, and is none
        value = raw.value
    finally:
        loader.dispose()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(raw.value)
