"""``vaesearch submit``: a command of ours as a job on a Ray cluster."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vaesearch.errors import InputError

if TYPE_CHECKING:
    from vaesearch.jobs.heads import Head
    from vaesearch.jobs.making import Wishes
    from vaesearch.jobs.submitting import Submitted

Function = TypeVar("Function", bound=Callable[..., Any])
_UNITS = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "": 1.0}


def head_options(function: Function) -> Function:
    """The options that say which head, and how to talk to it."""
    for decorate in (
        click.option("--insecure", is_flag=True, help="talk to a head elsewhere without a token"),
        click.option("--address", metavar="URL",
                     help="of the head, http://HOST:8265; default RAY_API_SERVER_ADDRESS"),
    ):  # fmt: skip
        function = decorate(function)
    return function


def say(text: str) -> None:
    """A remark: stdout is for what the job prints."""
    click.echo(text, err=True)


@click.command(context_settings={"allow_interspersed_args": False})
@head_options
@click.option("--other-versions", is_flag=True, help="put up with another Ray or Python there")
@click.option("--id", "name", help="of the job; default one is made up")
@click.option("--detach", is_flag=True, help="do not wait: print the job's id and end")
@click.option("--json", "as_json", is_flag=True, help="with --detach: print it as JSON")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path),
              help="send this file or folder, too; may be repeated")  # fmt: skip
@click.option("--env", multiple=True, metavar="KEY[=VALUE]",
              help="variable of the job, which others can see; may be repeated")  # fmt: skip
@click.option("--pip", multiple=True, metavar="PACKAGE|FILE.txt",
              help="install for the job; may be repeated")  # fmt: skip
@click.option("--python", metavar="PATH", help="interpreter on the cluster; default its `python`")
@click.option("--driver-cpus", "cpus", type=click.FloatRange(min=0),
              help="for the search itself, which then need not run on the head")  # fmt: skip
@click.option("--driver-gpus", "gpus", type=click.FloatRange(min=0), help="likewise")
@click.option("--driver-memory", "memory", metavar="SIZE", help="likewise, as 4G")
@click.option("--driver-resources", "resources", multiple=True, metavar="NAME=AMOUNT",
              help="likewise; may be repeated")  # fmt: skip
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def submit(context: click.Context, /, command: tuple[str, ...], **options: Any) -> None:
    """Run COMMAND on a Ray cluster: submit --address URL -- bandit --dataset mnist ...

    This package goes along, and files that the command names by relative paths; absolute paths
    and URLs are of the cluster. What the job prints is shown until it ends. Ctrl-C leaves it
    running.
    """
    from vaesearch.cli.checking import dataset_of, parse
    from vaesearch.jobs.heads import find_head
    from vaesearch.jobs.luggage import packed
    from vaesearch.jobs.submitting import submit as send

    if options["as_json"] and not options["detach"]:
        raise InputError("--json is for --detach: without it stdout is what the job prints.")
    app = context.find_root().command
    assert isinstance(app, click.Group)  # noqa: S101
    wishes = _wishes(options)
    inner, config = parse(command, app)
    luggage = packed(inner, config, Path.cwd(), options["others"])
    head = find_head(
        options["address"], insecure=options["insecure"],
        other_versions=options["other_versions"], note=say,
    )  # fmt: skip
    sent = send(head, luggage, wishes, typed=command, dataset=dataset_of(inner, config))
    if options["detach"]:
        _tell_id(sent, head, options["as_json"])
        return
    from vaesearch.cli.jobs import watch

    say(_sentence(sent, head))
    watch(head, sent.id)


def _wishes(options: dict[str, Any]) -> "Wishes":
    from vaesearch.jobs.making import Wishes, env_of, pip_of
    from vaesearch.jobs.naming import check_id

    return Wishes(
        id=check_id(options["name"]) if options["name"] is not None else None,
        pip=pip_of(options["pip"], Path.cwd()),
        env=env_of(options["env"]),
        python=options["python"],
        cpus=options["cpus"],
        gpus=options["gpus"],
        memory=_bytes(options["memory"]) if options["memory"] else None,
        resources=dict(map(_resource, options["resources"])),
        other_versions=options["other_versions"],
    )


def _bytes(text: str) -> int:
    """A size with an optional unit.

    >>> _bytes("4G"), _bytes("512 MB")
    (4000000000, 512000000)
    """
    number = text.strip().upper().removesuffix("B").removesuffix("I").strip()
    unit = number[-1:] if number[-1:] in _UNITS else ""
    try:
        return round(float(number.removesuffix(unit)) * _UNITS[unit])
    except (ValueError, OverflowError):
        raise InputError(f"--driver-memory {text}: write a size such as 4G or 512M.") from None


def _resource(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = 0.0
    if not name or not 0 < value < float("inf"):
        raise InputError(f"--driver-resources {text}: write NAME=AMOUNT, as in big_disk=1.")
    return name, value


def _tell_id(sent: "Submitted", head: "Head", as_json: bool) -> None:
    if as_json:
        content = {"id": sent.id, "address": head.url, "run_dir": sent.run_dir}
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(sent.id)
    say(_sentence(sent, head))


def _sentence(sent: "Submitted", head: "Head") -> str:
    plural = "s" if sent.files > 1 else ""
    files = f" and {sent.files} file{plural} ({_size(sent.size)})" if sent.files else ""
    where = f"\nRun directory: {sent.run_dir}" if sent.run_dir else ""
    return f"Sent to {head.url}: {sent.id}, with this package{files}.{where}\n" + hints(
        head, sent.id
    )


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size > 1e5 else f"{size / 1e3:.1f} kB"


def hints(head: "Head", name: str) -> str:
    """What to type to follow and to stop a job."""
    at = f" --address {head.url}"
    return f"Follow: vaesearch logs {name} --follow{at}\nStop:   vaesearch stop {name}{at}"
