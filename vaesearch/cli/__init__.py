"""The command line: the only part of the package that prints."""


def main() -> None:
    """Entry point of the ``vaesearch`` command."""
    from vaesearch.cli.app import app
    from vaesearch.cli.terminal import run

    run(app)
