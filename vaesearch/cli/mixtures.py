"""``vaesearch mixture``: how many Gaussians suit the codes of trained models of a run."""

import json
import shlex
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vaesearch.cli.options import given
from vaesearch.cli.places import RUN_PLACE, Place
from vaesearch.cli.terminal import InterruptedSearchError, stoppable
from vaesearch.cli.text import plain_table
from vaesearch.report.units import write_seconds

if TYPE_CHECKING:
    from vaesearch.mixtures import Tuned
    from vaesearch.records import Estimate
    from vaesearch.search.mixtures import Fit

_WIDEST = 160
_COLUMNS = (
    ("loglik", "held-out codes\nnats per image ↑"),
    ("train_loglik", "codes fitted to\nnats per image"),
    ("bic", "BIC ↓"),
    ("aggregate_kl", "KL from prior\nnats"),
    ("fid", "FID ↓"),
)


@click.command()
@click.argument("run_dir", type=RUN_PLACE)
@click.option("--arm", "arms", multiple=True, metavar="NAME|all",
              help="may be given several times; default the best one")  # fmt: skip
@click.option("--components", metavar="RANGE",
              help="numbers to try: 1..64:log, 1..9 or 1,2,5,10; default 1..64:log")  # fmt: skip
@click.option("--by", default="loglik", show_default=True,
              help="best by loglik of held-out codes, fid of pictures, or bic")  # fmt: skip
@click.option("--trials", type=int, help="so many numbers are scored at most [20]")
@click.option("--samples", type=int, help="pictures of each mixture, for fid [10000]")
@click.option("--extractor", metavar="SPEC", help="of features of pictures, for fid [labels]")
@click.option("--images", type=int, help="training images to encode; default 20000 or enough")
@click.option("--seed", type=int, help="of codes and fits; default that of the search")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda")
@click.option("--data-dir", help="where the images are now, if not where the search had them")
@click.option("--again", is_flag=True, help="fit what was fitted before, too")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
def mixture(run_dir: Place, arms: tuple[str, ...], as_json: bool, **rest: Any) -> None:
    """Find how many Gaussians suit the codes of trained models; no model is trained.

    The best mixture goes into the arm's model.pt and samples.png, and `vaesearch sample --from
    gmm` draws from it. All fits are kept in RUN_DIR/mixtures, where the same question finds them
    again, and go to runs of their own in MLflow, below the arm's.
    """
    from vaesearch.mixtures import tune_mixtures

    notes: list[str] = []
    console = Console(stderr=True)
    shown = console.status("encoding images") if _is_live(console, as_json) else None

    def watch(arm: str, fit: "Fit") -> None:
        if shown:
            shown.update(f"{arm}: {fit.components} components done")

    try:
        with stoppable():
            if shown:
                shown.start()
            try:
                tuned = tune_mixtures(
                    run_dir, arms=arms or None, watch=watch, note=notes.append, **given(rest)
                )
            finally:
                if shown:
                    shown.stop()
    except KeyboardInterrupt:
        raise InterruptedSearchError(
            "Stopped. Finished fits are kept; the same command goes on from there."
        ) from None
    if as_json:
        content = {"run_dir": str(run_dir), "arms": [t.to_dict() for t in tuned], "notes": notes}
        click.echo(json.dumps(content, indent=2))
        return
    for each in tuned:
        _show(each)
    for text in notes:
        click.echo(text)


def _is_live(console: Console, as_json: bool) -> bool:
    return console.is_terminal and not console.is_dumb_terminal and not as_json


def _show(tuned: "Tuned") -> None:
    console = Console()
    # A line that the terminal wraps is better than figures without their last digits.
    width, console.width = console.width, max(console.width, _WIDEST)
    basis = tuned.chosen.basis
    title = (
        f"{tuned.arm}, epoch {tuned.epoch}: mixtures fitted to {basis.codes} codes, scored on "
        f"{basis.held_out}; value ± standard error"
    )
    console.print(Text(title, style="italic"), width=width)
    console.print(_table(tuned))
    for text in remarks(tuned):
        console.print(Text(text), width=width)
    click.echo(f"Kept: {shlex.quote(str(tuned.path))}")


def remarks(tuned: "Tuned") -> list[str]:
    """What is to be said below the table, a line each."""
    said = [tuned.sentence()]
    among = tuned.chosen.among
    if tuned.chosen.components == among[-1] and len(among) > 1:
        said.append("The best is the greatest number tried: more may be better.")
    said += [
        f"{fit.components} components failed: {fit.failed}." for fit in tuned.fits if fit.failed
    ]
    slow = [str(fit.components) for fit in tuned.fits if not fit.converged]
    if slow:
        said.append(f"EM had not converged with {', '.join(slow)} components.")
    return said


def _table(tuned: "Tuned") -> Table:
    grid = plain_table("")
    shown = [(key, head) for key, head in _COLUMNS if any(key in f.figures for f in tuned.fits)]
    for head in ("components", *(head for _, head in shown), "seconds"):
        grid.add_column(head, justify="right", no_wrap=True)
    for fit in tuned.fits:
        is_best = fit.components == tuned.chosen.components
        cells = [_cell(fit.figures.get(key)) for key, _ in shown]
        count = f"{fit.components}{' *' if is_best else ''}"
        grid.add_row(
            count, *cells, write_seconds(fit.seconds), style="bold green" if is_best else ""
        )
    return grid


def _cell(figure: "Estimate | None") -> str:
    if figure is None:
        return "-"
    if figure.error is None:
        return f"{figure.value:,.0f}"
    return f"{figure.value:.3f} ± {figure.error:.3f}"
