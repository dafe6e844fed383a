"""``vaesearch sync`` and ``vaesearch ui``: a run in MLflow."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import click

from vaesearch.cli.places import RUN_PLACE, Place, runs_root
from vaesearch.config import Config, TuneConfig, check_model_name, read_config
from vaesearch.errors import InputError, VaesearchError
from vaesearch.storage import inside


@click.command()
@click.argument("run_dir", type=RUN_PLACE)
@click.option("--tracking-uri", help="where to; default where the search was tracked")
@click.option("--register", metavar="NAME", help="register the best model under this name")
def sync(run_dir: Place, tracking_uri: str | None, register: str | None) -> None:
    """Send to MLflow, and to the Optuna study of a tuned search, what they lack of a run."""
    from vaesearch.search.opening import open_run
    from vaesearch.tracking import core

    check_model_name(register)
    config = _config_of(run_dir)
    study = _sync_study(run_dir) if isinstance(config, TuneConfig) else None
    uri = tracking_uri or config.tracking_uri
    if study is None or uri != core.NO_TRACKING:
        run = open_run(run_dir)
        core.sync(run, uri, config.experiment, register)
        run.put()
        click.echo(f"MLflow has all of {run_dir}.")


def _sync_study(run_dir: Place) -> str | None:
    from vaesearch.api import sync_study

    study = sync_study(run_dir)
    if study:
        click.echo(f"{study[:1].upper()}{study[1:]} has all of {run_dir}.")
    return study


@click.command()
@click.argument("run_dir", type=RUN_PLACE, required=False)
@click.option("--port", default=5000, show_default=True, help="of the page, on 127.0.0.1")
@click.option("--tracking-uri", help="the store; default where the search was tracked")
@click.option(
    "--browser/--no-browser", default=None, help="open a page; default if there is a screen"
)
def ui(run_dir: Place | None, port: int, tracking_uri: str | None, browser: bool | None) -> None:
    """Open MLflow's pages on the store that the runs are in, and compare the arms of a run."""
    from vaesearch.search.run_dir import RunDir
    from vaesearch.tracking import core

    config = _config_of(run_dir) if run_dir else None
    uri = tracking_uri or (config.tracking_uri if config else None)
    if uri == core.NO_TRACKING:
        raise InputError(f"{run_dir} is not tracked: add --tracking-uri, after `vaesearch sync`.")
    uri = uri or core.default_uri(RunDir(run_dir or inside(runs_root(), "any")))
    core.check_uri(uri)
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise InputError(f"there is nothing at {uri} yet: run `vaesearch bandit` first.")
    if core.is_server(uri):
        page = _told(core.identity(uri).rstrip("/"), run_dir, uri, config)
        if _wanted(browser):
            click.launch(page)
        return
    _refuse_taken(port)
    page = _told(f"http://127.0.0.1:{port}", run_dir, uri, config)
    click.echo("Ctrl-C to stop.")
    if _wanted(browser):  # another process, since this one becomes the server
        subprocess.Popen([sys.executable, "-m", "vaesearch.cli.browser", page, str(port)])
    command = core.ui_command(uri, port)
    os.execv(command[0], command)  # its signals and its end are then its own


def _told(server: str, run_dir: Place | None, uri: str, config: Config | None) -> str:
    """Say where the pages are; the address of the first one to look at."""
    click.echo(f"MLflow:   {server}")
    pages = None
    if run_dir is not None and config is not None:
        from vaesearch.search.opening import open_run
        from vaesearch.tracking.looking import find_pages

        try:
            pages = find_pages(open_run(run_dir), uri, config.experiment)
        except VaesearchError as error:  # the address is worth something all the same
            click.echo(str(error), err=True)
            return server
        if pages is None:
            click.echo(f"It does not have {run_dir}: `vaesearch sync {run_dir}` sends it.")
    if pages is not None:
        click.echo(f"search:   {server}/{pages.parent}")
        click.echo(f"arms:     {server}/{pages.listing}")
        click.echo(f"compared: {server}/{pages.comparison}")
    if "127.0.0.1" in server and os.environ.get("SSH_CONNECTION"):
        port = server.rpartition(":")[2]
        click.echo(f"From your own machine: ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}")
    return f"{server}/{pages.comparison}" if pages and pages.arms else server


def _wanted(browser: bool | None) -> bool:
    """Whether to open a browser: as told, else where a person sits before a screen."""
    if browser is not None:
        return browser
    if os.environ.get("SSH_CONNECTION"):
        return False
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in screens)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} is in use: give another with --port.") from error


def _config_of(run_dir: Place) -> Config:
    """The configuration that the run was last worked on with."""
    from vaesearch.bandits.core import Budget
    from vaesearch.search.ledger import read_ledger
    from vaesearch.search.opening import open_run
    from vaesearch.search.state import fold

    state = fold(read_ledger(open_run(run_dir).ledger), Budget())
    return read_config(state.config, source=str(run_dir))
