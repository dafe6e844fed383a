"""The command that is sent: its options as data, and back to words for a shell."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vaesearch.errors import InputError
from vaesearch.tracking.uris import redacted


@dataclass(frozen=True)
class Option:
    """An option, or an argument in its place, as it was given.

    Attributes:
        name: of the parameter, as ``run_dir``.
        flag: as ``--run-dir``; empty for an argument.
        values: in order; none for a switch.
    """

    name: str
    flag: str
    values: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """As they are typed; a value that begins with a dash is none of the flags."""
        if not self.flag:
            return list(self.values)
        return [f"{self.flag}={value}" for value in self.values] or [self.flag]


@dataclass(frozen=True)
class Inner:
    """A command of ours with what was given to it.

    Attributes:
        command: as ``bandit``.
        options: only those that were given.
    """

    command: str
    options: tuple[Option, ...] = ()

    def get(self, name: str) -> Option | None:
        """What was given for the parameter, if anything was."""
        return next((each for each in self.options if each.name == name), None)

    def first(self, name: str) -> str | None:
        """The first value that was given for the parameter."""
        option = self.get(name)
        return option.values[0] if option and option.values else None

    def changed(self, option: Option) -> "Inner":
        """With ``option`` in place of what was given for its parameter, or beside the others."""
        if self.get(option.name) is None:
            return replace(self, options=(*self.options, option))
        return replace(
            self, options=tuple(option if o.name == option.name else o for o in self.options)
        )

    @property
    def words(self) -> list[str]:
        """The command line, without the name of the program.

        >>> where, epochs = Option("run_dir", "", ("-x",)), Option("epochs", "--epochs", ("5",))
        >>> Inner("resume", (where, epochs)).words
        ['resume', '--epochs=5', '--', '-x']
        """
        flags = [word for option in self.options if option.flag for word in option.words]
        places = [word for option in self.options if not option.flag for word in option.words]
        dashes = ["--"] if any(word.startswith("-") for word in places) else []
        return [self.command, *flags, *dashes, *places]


def entrypoint(script: str, words: Sequence[str], python: str | None = None) -> str:
    """What a shell of the cluster shall run; every word arrives there as it is.

    Args:
        script: in the working directory of the job.
        words: its arguments.
        python: the interpreter; default that of the name ``python``, or ``python3``.

    Raises:
        InputError: a word cannot be written in UTF-8.
    """
    for word in words:
        if not _is_text(word):
            raise InputError(f"{word!r} is no UTF-8 text: rename the file that it names.")
    program = shlex.quote(python) if python else '"$(command -v python || command -v python3)"'
    # The shell makes room for the program, so that the job's signals reach the program alone.
    return f"exec {program} {shlex.join([script, *words])}"


def shown(words: Sequence[str]) -> str:
    """A command line for people: no password of an address stands in it.

    >>> shown(["tune", "--storage=postgresql://me:secret@db/x"])
    "vaesearch tune '--storage=postgresql://me:***@db/x'"
    """
    return shlex.join(["vaesearch", *map(_bare, words)])


def _bare(word: str) -> str:
    flag, equals, value = word.partition("=")
    if word.startswith("-") and equals:
        return f"{flag}={_bare(value)}"
    return redacted(word) if "://" in word else word


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in word
