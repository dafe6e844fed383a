"""``vaesearch doctor``: is this machine, or that cluster, ready for a search?"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from vaesearch.config import BACKENDS
from vaesearch.doctor import Finding, Question, examine
from vaesearch.errors import VaesearchError

if TYPE_CHECKING:
    from vaesearch.jobs.heads import Head
    from vaesearch.jobs.luggage import Luggage

STYLES = {"ok": "green", "warning": "bold yellow", "FAIL": "bold red"}
NAMES = 14  # columns


@click.command()
@click.option("--address", help="also look at the cluster there: HOST:6379, or http://HOST:8265")
@click.option("--insecure", is_flag=True, help="talk to a head elsewhere without a token")
@click.option("--run-dir", help="of the run to come: path or URL")
@click.option("--tracking-uri", help="MLflow; default mlflow.db beside the run; or none")
@click.option("--storage", help="Optuna storage of tune and search")
@click.option("--dataset", default="digits", show_default=True, help="name, PATH.npz or folder")
@click.option("--data-dir", default="data", show_default=True, help="where data sets are")
@click.option("--backend", type=click.Choice(BACKENDS), default="ray", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="the same as JSON")
@click.pass_context
def doctor(
    context: click.Context,
    /,
    address: str | None,
    insecure: bool,
    as_json: bool,
    **options: str,
) -> None:
    """Is all that a search needs there? Each line that is not ok says what to do.

    With the http address of a cluster the questions are asked there, by a job. Exit status 0 where
    a search can run, 1 where something fails.
    """
    if address and address.startswith(("http://", "https://")):
        findings = _there(context, address, insecure)
    else:
        findings = _here(Question(address=address, **options))
    found = show(findings, as_json)
    if any(finding.state == "FAIL" for finding in found):
        context.exit(1)


def _here(question: Question) -> Iterator[Finding]:
    from vaesearch.doctor.checks import CLUSTER, HERE

    yield from examine(question, [*HERE, *(CLUSTER if question.address else ())])


def _there(context: click.Context, address: str, insecure: bool) -> Iterator[Finding]:
    """The same on the cluster, by a job: what is given is of the cluster."""
    from vaesearch.cli.remote import ask_there
    from vaesearch.jobs.heads import find_head

    luggage = _luggage(context)
    try:
        head = find_head(address, insecure=insecure)
        yield Finding("head", "ok", f"{head.url}, Ray {head.ray_version}, as here")
        yield _token(head)
        told = ask_there(head, luggage)
    except VaesearchError as error:
        what, _, cure = str(error).partition("\n")
        yield Finding("head", "FAIL", what, cure or "`vaesearch logs` shows all that it printed")
        return
    # Of tokens the head's own machine sees the loopback only.
    yield from (Finding(**each) for each in told if each["name"] != "token")


def _luggage(context: click.Context) -> "Luggage":
    """The command as the job is to run it: what was given here, but for what concerns us.

    Raises:
        InputError: a path of this machine, which means nothing there.
    """
    from click.core import ParameterSource

    from vaesearch.jobs.inner import Inner, Option
    from vaesearch.jobs.luggage import packed

    ours = ("address", "insecure", "as_json")
    options = [
        Option(name, f"--{name.replace('_', '-')}", (str(value),))
        for name, value in context.params.items()
        if name not in ours and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    luggage = packed(Inner("doctor", tuple(options)), {}, Path.cwd())
    inner = luggage.inner.changed(Option("address", "--address", ("auto",)))
    return type(luggage)(inner.changed(Option("as_json", "--json")))


def _token(head: "Head") -> Finding:
    """Whether whoever reaches the head can run code there."""
    if head.wants_token:
        return Finding("token", "ok", "authentication is on, and ours is accepted")
    from vaesearch.jobs.addresses import is_loopback, parse_address

    if is_loopback(parse_address(head.url).host):
        return Finding("token", "ok", "authentication is off; the head is on the loopback")
    seen = "authentication is off: whoever reaches the port can run code there"
    return Finding("token", "warning", seen, "start all nodes with RAY_AUTH_MODE=token")


def show(findings: Iterable[Finding], as_json: bool) -> list[Finding]:
    """Print them as they come, and how many are not ok; returns all."""
    if as_json:
        found = list(findings)
        click.echo(json.dumps([finding.to_dict() for finding in found], indent=2))
        return found
    console, found = Console(), []
    for finding in findings:
        found.append(finding)
        line = Text(f"{finding.state:8}", style=STYLES[finding.state])
        line.append(f"{finding.name:{NAMES}} ", style="bold")
        line.append(finding.seen, style="default")
        console.print(line, soft_wrap=True)
        if finding.cure:
            cure = " ".join(finding.cure.split())
            console.print(Text(f"{'':8}→ {cure}"), soft_wrap=True)
    click.echo(summary(found))
    return found


def summary(found: list[Finding]) -> str:
    """The last line."""
    fails = sum(finding.state == "FAIL" for finding in found)
    warnings = sum(finding.state == "warning" for finding in found)
    if not fails and not warnings:
        return "All is well."
    counts = [(fails, "failure"), (warnings, "warning")]
    said = " and ".join(f"{n} {noun}{'s' * (n != 1)}" for n, noun in counts if n)
    return f"{said}{'' if fails else ': a search can run'}."
