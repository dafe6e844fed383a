"""Open a page once its server answers: ``python -m vaesearch.cli.browser PAGE PORT``."""

import socket
import sys
import time

import click

PATIENCE = 60.0  # seconds; a server of MLflow takes about ten to start


def open_when_up(page: str, port: int, patience: float = PATIENCE) -> bool:
    """Open ``page`` as soon as something listens on ``port`` here; whether it did in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.2)
            continue
        click.launch(page)
        return True
    return False


if __name__ == "__main__":
    sys.exit(not open_when_up(sys.argv[1], int(sys.argv[2])))
