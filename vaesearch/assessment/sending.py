"""Send what was measured to the MLflow runs of its arms."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vaesearch.errors import VaesearchError
from vaesearch.search.opening import open_run
from vaesearch.tracking import core
from vaesearch.trained import config_of, read_state

if TYPE_CHECKING:
    from vaesearch.assessment.evaluating import Assessment


def publish(path: str | Path, found: "Sequence[Assessment]", note: Callable[[str], None]) -> None:
    """Send all that ``RUN_DIR/evaluation`` has and MLflow has not, and wait for it.

    Args:
        path: the run directory.
        found: what was just measured; nothing is sent where none of it could be kept.
        note: told, in a line, why MLflow does not have it yet. Nothing is lost then.
    """
    run_dir = open_run(path)
    if all(each.unkept for each in found):
        return
    config = config_of(run_dir, read_state(run_dir))
    try:
        core.send_evaluations(run_dir, config.tracking_uri, config.experiment)
        run_dir.put()
    except (VaesearchError, OSError) as error:
        command = f"vaesearch sync {shlex.quote(str(path))}"
        note(f"Not in MLflow yet: {str(error).rstrip('.')}; `{command}` sends it.")
