"""``vaesearch status``: how far a run is, from another terminal or machine."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from vaesearch.cli.keys import Keys
from vaesearch.cli.standing import headline, render
from vaesearch.storage import is_url
from vaesearch.watching import Look

EVERY = 2.0  # seconds between two looks
EVERY_FAR = 10.0  # where each costs requests to a store, or a job
WIDTH = 110  # of what goes to a file
See = Callable[[], Look]


@click.command()
@click.argument("run", metavar="RUN_DIR|JOB", required=False)
@click.option("--watch", is_flag=True, help="look again and again; q or Ctrl-C ends it")
@click.option("--json", "as_json", is_flag=True, help="everything, as one object per look")
@click.option("--address", help="of the cluster that JOB runs on, such as http://head:8265")
@click.option("--insecure", is_flag=True, help="talk to a head elsewhere without a token")
def status(
    run: str | None, watch: bool, as_json: bool, address: str | None, insecure: bool
) -> None:
    """How far a search is: budget, workers, ranking, troubles, upload. It is left alone."""
    from vaesearch.cli.finding import find_run

    see = find_run(run, address, insecure)
    console = Console()
    try:
        if not watch:
            show(see(), console, as_json)
        elif console.is_terminal and not as_json:
            redraw(see, console, pause_of(run))
        else:
            follow(see, as_json, pause_of(run))
    except KeyboardInterrupt:
        if not watch:
            raise


def pause_of(run: str | None) -> float:
    """Seconds between two looks at a run."""
    return EVERY if run is not None and not is_url(run) and Path(run).exists() else EVERY_FAR


def show(found: Look, console: Console, as_json: bool) -> None:
    """Print one look."""
    if as_json:
        click.echo(json.dumps(found.status.to_dict(), indent=2))
        return
    if not console.is_terminal:
        console.width = WIDTH
    # Long reasons and paths stay in one piece where the output goes to a file.
    console.print(render(found, console), soft_wrap=not console.is_terminal)


def redraw(see: See, console: Console, pause: float) -> None:
    """Draw a look again and again, until it is over or ``q`` is pressed."""
    with Keys() as keys, Live(console=console, auto_refresh=False) as live:
        while True:
            found = see()
            live.update(render(found, console), refresh=True)
            if _over(found) or keys.wait(pause) == "q":
                return


def follow(see: See, as_json: bool, pause: float) -> None:
    """Write a line whenever something is new, until it is over."""
    before = None
    with Keys() as keys:
        while True:
            found = see()
            line = headline(found.status)
            if as_json or line != before:
                click.echo(json.dumps(found.status.to_dict()) if as_json else line)
            before = line
            if _over(found) or keys.wait(pause) == "q":
                return


def _over(found: Look) -> bool:
    """Whether nothing can be new any more; a search that was stopped may be resumed."""
    upload = found.status.upload
    sent = not upload.tracked or upload.complete or bool(upload.error)
    return found.status.condition in ("finished", "failed") and sent
