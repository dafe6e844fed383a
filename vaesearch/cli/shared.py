"""``vaesearch bandit --shared-encoder``: a line per pass, then a table."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from vaesearch.cli.logs import json_log
from vaesearch.cli.terminal import InterruptedSearchError, stoppable
from vaesearch.cli.text import plain_table
from vaesearch.config import Config
from vaesearch.search.run_dir import RunDir

if TYPE_CHECKING:
    from vaesearch.baselines.passes import Pass


def run_shared(config: Config, path: str | Path, *, as_json: bool) -> None:
    """Run it and print what it found; with ``as_json`` stdout is for the results alone."""
    from vaesearch.baselines import run_shared_encoder
    from vaesearch.baselines.results import HEADERS, caption, rows

    log = json_log()
    if log:
        log.run_dir = str(path)

    def observe(done: "Pass") -> None:
        line = _line(done, config.reward)
        if log:
            log.say("info", "pass", line)
        else:
            click.echo(line, err=as_json)

    try:
        with stoppable():
            results = run_shared_encoder(config, path, observe=observe)
    except KeyboardInterrupt:
        raise InterruptedSearchError(
            "Stopped. A shared encoder keeps nothing of a run that was stopped: start it anew."
        ) from None
    if as_json:
        click.echo(json.dumps(results | {"run_dir": str(path)}, indent=2))
        return
    table = plain_table("decoders, best first")
    for header in HEADERS:
        named = header == "decoder"
        table.add_column(header, justify="left" if named else "right", no_wrap=named)
    for row in rows(results):
        table.add_row(*row, style="bold green" if row[1] == results["best_decoder"] else "")
    console = Console()
    console.print(table)
    click.echo(f"\n{caption(results)}")
    click.echo(f"Best decoder: {results['best_decoder']}")
    model = RunDir(path).arm(results["best_decoder"]) / "model.pt"
    click.echo(f"Model: {shlex.quote(str(model))}")


def _line(done: "Pass", reward: str) -> str:
    from vaesearch.report.units import SCALES, write_seconds

    scale, total = SCALES[reward], max(1, sum(done.draws.values()))
    parts = [
        f"{name} {scale.write(figures[scale.metric])} ({done.draws[name] / total:.0%} of batches)"
        for name, figures in done.validation.items()
    ]
    return (
        f"[pass {done.number}] {scale.name} on validation images: {', '.join(parts)}; "
        f"{write_seconds(done.seconds)} s"
    )
