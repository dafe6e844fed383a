"""The ``vaesearch`` command: each sub-command parses, makes one call of the API, and prints."""

import json
from pathlib import Path
from typing import Any

import click

from vaesearch import __version__, catalogue
from vaesearch.cli import gallery
from vaesearch.cli.doctor import doctor
from vaesearch.cli.evaluate import evaluate
from vaesearch.cli.jobs import jobs, logs, stop
from vaesearch.cli.logs import log_format_option
from vaesearch.cli.mixtures import mixture
from vaesearch.cli.options import Commands, config_options, given
from vaesearch.cli.places import RUN_PLACE, Place, new_run_dir, run_dir_options
from vaesearch.cli.replay import replay
from vaesearch.cli.sessions import run_session
from vaesearch.cli.shared import run_shared
from vaesearch.cli.status import status
from vaesearch.cli.submit import submit
from vaesearch.cli.terminal import Session
from vaesearch.cli.tracking import sync, ui
from vaesearch.cli.tuning import search, tune
from vaesearch.config import TUNING_MAY_CHANGE, Config, TuneConfig, load_yaml
from vaesearch.errors import InputError, unknown_name
from vaesearch.space import space_entries

# What the cost of a network depends on.
COST_OPTIONS = (
    "dataset", "data_dir", "image_size", "pixels", "decoders", "encoders", "likelihood",
    "posterior", "prior", "bound", "regularizer", "alpha", "latent_dim", "width",
    "batch_size",
)  # fmt: skip


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vaesearch", message="%(prog)s %(version)s")
def app() -> None:
    """Find the best variational auto-encoder for your images in the least compute."""


@app.command()
@config_options()
@run_dir_options
@click.option("--config", type=click.Path(path_type=Path), help="YAML file of any options")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
@log_format_option
def bandit(
    run_dir: Place | None, config: Path | None, as_json: bool, or_resume: bool, **options: Any
) -> None:
    """Train candidate decoders, each next epoch going to the most promising one."""
    source = load_yaml(config) if config else {}
    settings = Config.from_dict(source, source=str(config)).changed(**given(options))
    path = run_dir or new_run_dir(settings.dataset)
    if settings.shared_encoder:
        run_shared(settings, path, as_json=as_json)
        return

    def start(session: Session) -> Any:
        from vaesearch.api import run_bandit

        return run_bandit(
            settings, path, or_resume=or_resume, observers=[session.observer], note=session.note
        )

    run_session(path, as_json, start)


app.add_command(tune)
app.add_command(search)


@app.command()
@click.argument("run_dir", type=RUN_PLACE)
@config_options(TuneConfig, only=TUNING_MAY_CHANGE)
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
@log_format_option
def resume(run_dir: Place, as_json: bool, **options: Any) -> None:
    """Go on with an interrupted search, or extend a finished one by a larger budget."""

    def go_on(session: Session) -> Any:
        from vaesearch import api

        return api.resume(
            run_dir, changes=given(options), observers=[session.observer], note=session.note
        )

    run_session(run_dir, as_json, go_on)


app.add_command(sync)
app.add_command(ui)
app.add_command(status)
app.add_command(doctor)
app.add_command(evaluate)
app.add_command(mixture)
app.add_command(replay)
for command in (submit, jobs, logs, stop):
    app.add_command(command)
for command in gallery.COMMANDS:
    app.add_command(command)


@app.command("list")
@click.argument("axis", required=False)
@config_options(only=COST_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="the same as JSON")
def list_(axis: str | None, as_json: bool, **options: Any) -> None:
    """What can be searched: decoders, encoders, likelihoods, policies, datasets, spaces, ...

    With --dataset, `list decoders` and `list encoders` say what each would cost on its images.
    """
    known = {**catalogue.AXES, "spaces": space_entries()}
    if axis is not None and axis not in known:
        raise unknown_name("list", axis, known)
    if given(options):
        _list_costs(axis, Config().changed(**given(options)), options["dataset"], as_json)
        return
    from rich.console import Console

    from vaesearch.cli.text import listing

    axes = [axis] if axis else list(known)
    if as_json:
        members = {name: [_plain(entry) for entry in known[name]] for name in axes}
        click.echo(json.dumps(members[axis] if axis else members, indent=2))
        return
    console = Console()
    for name in axes:
        console.print(listing(name, known[name]))


def _plain(entry: catalogue.Entry) -> dict[str, str]:
    return {"name": entry.name, "summary": entry.summary, "reference": entry.reference}


def _list_costs(axis: str | None, config: Config, dataset: str | None, as_json: bool) -> None:
    """Each member of the axis with its cost on the images of the dataset."""
    if axis not in ("decoders", "encoders"):
        raise InputError("costs are of networks: use `list decoders` or `list encoders` with it.")
    if dataset is None:
        raise InputError("costs depend on the images: add --dataset, as in --dataset cifar10.")
    from rich.console import Console

    from vaesearch.cli import costs

    shape = costs.known_shape(config)
    config = config.resolved(images=costs.MANY, channels=shape[0])
    if as_json:
        rows = [row.to_dict() for row in costs.cost_rows(axis, config, shape)]
        click.echo(json.dumps(rows, indent=2))
    else:
        Console().print(costs.cost_listing(axis, config, shape))
