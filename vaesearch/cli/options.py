"""Command-line options made from the fields of :class:`~vaesearch.config.Config`.

One list serves the command line, YAML files and the ledger, so they cannot disagree.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from vaesearch.config import Config
from vaesearch.errors import unknown_name

Function = TypeVar("Function", bound=Callable[..., Any])


class Commands(click.Group):
    """A group that suggests the nearest command for a mistyped one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which are near."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_name("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def config_options(
    cls: type[Config] = Config,
    *,
    only: Collection[str] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Callable[[Function], Function]:
    """Add an option for each field of the configuration.

    Args:
        cls: of which configuration.
        only: names of fields; all by default.
        defaults: to show in place of those of the fields.
    """

    def decorate(function: Function) -> Function:
        for field in reversed(fields(cls)):
            if only is None or field.name in only:
                default = (defaults or {}).get(field.name, field.default)
                function = _option(field, default)(function)
        return function

    return decorate


def _option(field: Field[Any], default: Any) -> Callable[[Function], Function]:
    """An option that is None unless given, so that a YAML file's value can stand."""
    several = str(field.type).startswith("tuple")
    shown = ",".join(default) if several else default
    note = "" if shown in (None, "") else f" [{shown}]"
    name = "--" + field.metadata.get("flag", field.name.replace("_", "-"))
    text = field.metadata["help"] + note
    if field.type in (bool, "bool"):
        return click.option(name, is_flag=True, default=None, help=field.metadata["help"])
    kind = str if several else _kind(str(field.type))
    return click.option(name, field.name, type=kind, default=None, multiple=several, help=text)


def _kind(annotation: str) -> type:
    for word, kind in (("int", int), ("float", float)):
        if word in annotation:
            return kind
    return str


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were on the command line."""
    return {name: value for name, value in options.items() if value not in (None, ())}
