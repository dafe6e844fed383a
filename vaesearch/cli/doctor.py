"""``vaesearch doctor``: is this machine, or that cluster, ready for a search?"""

import json
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.text import Text

from vaesearch.config import BACKENDS
from vaesearch.doctor import Finding, Question, examine

STYLES = {"ok": "green", "warning": "bold yellow", "FAIL": "bold red"}
NAMES = 14  # columns


@click.command()
@click.option("--address", help="also look at the cluster there: HOST:6379, or http://HOST:8265")
@click.option("--run-dir", help="of the run to come: path or URL")
@click.option("--tracking-uri", help="MLflow; default mlflow.db beside the run; or none")
@click.option("--storage", help="Optuna storage of tune and search")
@click.option("--dataset", default="digits", show_default=True, help="name, PATH.npz or folder")
@click.option("--data-dir", default="data", show_default=True, help="where data sets are")
@click.option("--backend", type=click.Choice(BACKENDS), default="ray", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="the same as JSON")
def doctor(as_json: bool, **options: str | None) -> None:
    """Is all that a search needs there? Each line that is not ok says what to do.

    Exit status 0 where a search can run, 1 where something fails.
    """
    question = Question(**options)  # type: ignore[arg-type]
    found = show(_examined(question), as_json)
    if any(finding.state == "FAIL" for finding in found):
        click.get_current_context().exit(1)


def _examined(question: Question) -> Iterator[Finding]:
    from vaesearch.doctor.checks import CLUSTER, HERE

    yield from examine(question, [*HERE, *(CLUSTER if question.address else ())])


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
            console.print(Text(f"{'':8}→ {finding.cure}"), soft_wrap=True)
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
