"""``vaesearch tune`` and ``vaesearch search``: proposals, and a bandit that trains them."""

from pathlib import Path
from typing import Any

import click

from vaesearch.cli.logs import log_format_option
from vaesearch.cli.options import config_options, given
from vaesearch.cli.places import Place, new_run_dir, run_dir_options
from vaesearch.cli.sessions import run_session
from vaesearch.cli.terminal import Session
from vaesearch.config import TuneConfig, load_yaml
from vaesearch.space import refuse_both, space_of

FIVE = {"decoders": "5"}


@click.command()
@config_options(TuneConfig)
@run_dir_options
@click.option("--config", type=click.Path(path_type=Path), help="YAML file of any options")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
@log_format_option
def tune(
    run_dir: Place | None, config: Path | None, as_json: bool, or_resume: bool, **options: Any
) -> None:
    """Tune latent size, consistency weight, learning rate, ... of one decoder."""
    _run({}, given(options), run_dir, config, as_json, or_resume)


@click.command()
@config_options(TuneConfig, defaults=FIVE)
@run_dir_options
@click.option("--config", type=click.Path(path_type=Path), help="YAML file of any options")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
@log_format_option
def search(
    run_dir: Place | None, config: Path | None, as_json: bool, or_resume: bool, **options: Any
) -> None:
    """Tune several decoders together, and find the best when each is tuned."""
    _run(FIVE, given(options), run_dir, config, as_json, or_resume)


def _run(
    defaults: dict[str, Any],
    options: dict[str, Any],
    run_dir: Place | None,
    config: Path | None,
    as_json: bool,
    or_resume: bool,
) -> None:
    source = defaults | (load_yaml(config) if config else {})
    settings = TuneConfig.from_dict(source, source=str(config)).changed(**options)
    refuse_both(space_of(settings), options)
    path = run_dir or new_run_dir(settings.dataset)

    def start(session: Session) -> Any:
        from vaesearch.api import run_search

        return run_search(
            settings, path, or_resume=or_resume, observers=[session.observer], note=session.note
        )

    run_session(path, as_json, start)
