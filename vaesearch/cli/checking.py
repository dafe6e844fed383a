"""A command for a cluster, parsed and checked here before anything is sent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vaesearch.cli.options import given
from vaesearch.cli.tuning import FIVE
from vaesearch.config import Config, TuneConfig, load_yaml
from vaesearch.errors import InputError, unknown_name
from vaesearch.jobs.inner import Inner, Option
from vaesearch.jobs.luggage import SEARCHES
from vaesearch.space import refuse_both, space_of

MAY_BE_SENT = (
    *SEARCHES, "resume", "evaluate", "mixture", "replay", "sync", "sample", "reconstruct",
    "traverse", "interpolate", "map", "doctor",
)  # fmt: skip
_HERE = "runs here, not as a job"


def parse(words: Sequence[str], app: click.Group) -> tuple[Inner, dict[str, Any]]:
    """The command that ``words`` are, and what its ``--config`` file says.

    Args:
        words: without the name of the program.
        app: that knows all commands.

    Raises:
        InputError: it cannot be sent, or something in it is wrong.
        click.UsageError: an unknown option or a value of the wrong kind.
    """
    if not words:
        raise InputError(
            "what shall run? Write the command after `--`, as in\n"
            "  vaesearch submit --address http://HEAD:8265 -- bandit --dataset mnist"
        )
    name, *rest = words[1:] if words[0] == "vaesearch" and len(words) > 1 else words
    able = [each for each in MAY_BE_SENT if each in app.commands]
    if name in app.commands and name not in able:
        raise InputError(f"`{name}` {_HERE}; these may be sent: {', '.join(able)}.")
    if name not in able:
        raise unknown_name("command", name, able)
    command = app.commands[name]
    with command.make_context(name, [w for w in rest if w != "--debug"]) as context:
        inner = Inner(name, tuple(_given(command, context)))
        config = _checked(name, context.params)
    _refuse_elsewhere(inner, config)
    return inner, config


def dataset_of(inner: Inner, config: dict[str, Any]) -> str:
    """A word for the name of the job: the dataset of a search, else nothing."""
    if inner.command not in SEARCHES:
        return ""
    return inner.first("dataset") or str(config.get("dataset") or Config().dataset)


def _given(command: click.Command, context: click.Context) -> list[Option]:
    found = []
    for parameter in command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        is_flag = isinstance(parameter, click.Option) and parameter.is_flag
        flag = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else ""
        values = value if isinstance(value, (tuple, list)) else (value,)
        found.append(Option(name, flag, () if is_flag else tuple(map(str, values))))
    return found


def _checked(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What the file of a search says, when it and the options are found to be right together."""
    if name not in SEARCHES:
        return {}
    fields = Config if name == "bandit" else TuneConfig
    path: Path | None = options.get("config")
    if path and (path.is_absolute() and not path.exists()):
        return {}  # of the cluster, which will look at it
    written = load_yaml(path) if path else {}
    source = (FIVE if name == "search" else {}) | written
    known = {key: value for key, value in options.items() if key in fields.__dataclass_fields__}
    settings = fields.from_dict(source, source=str(path)).changed(**given(known))
    if isinstance(settings, TuneConfig) and not Path(settings.space).is_absolute():
        refuse_both(space_of(settings), given(known))
    return written


def _refuse_elsewhere(inner: Inner, config: dict[str, Any]) -> None:
    """What cannot be meant of a job, which joins its own cluster."""
    if inner.get("address") or config.get("address"):
        raise InputError(
            "--address belongs to `submit`, before the `--`: the job joins its own cluster."
        )
    if inner.get("or_resume") and not inner.get("run_dir"):
        raise InputError("--or-resume needs the --run-dir that may hold this search already.")
    if (inner.first("backend") or config.get("backend")) == "local":
        raise InputError(
            "--backend local would train in the one process of the job: leave it out, and the "
            "workers of the cluster train."
        )
