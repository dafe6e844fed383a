"""A trial as a file that ``vaesearch bandit --config`` takes."""

from dataclasses import asdict, fields
from typing import Any

import yaml

from vaesearch.config import Config
from vaesearch.report.tuning.words import figure, label
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import Findings, Trial
from vaesearch.space import Space
from vaesearch.specs import parse_spec

# Who decides and how much is spent is another matter for one model than for a search.
_LEFT_OUT = (
    "policy", "seconds", "max_epochs_per_arm", "chunk", "confidence", "workers", "shared_encoder",
)  # fmt: skip


def trial_options(
    state: SearchState, trial: Trial, components: int | None = None
) -> dict[str, Any]:
    """Every option that trains the model of ``trial`` again, and as long as a trial may train.

    Args:
        state: of the search.
        trial: one that was trained.
        components: of the mixture that suits its codes best, if that was tuned. The prior
            ``gmm:M`` trains as N(0, I) does, so it takes the place of that or of another ``gmm``.
    """
    if trial.arm is None:
        raise ValueError(f"trial {trial.number} was not trained")
    settings = asdict(state.arms[trial.arm].arm.settings)
    networks = {"decoders": settings.pop("decoder"), "encoders": settings.pop("encoder")}
    options = {f.name: state.config.get(f.name) for f in fields(Config)} | settings | networks
    if components is not None and parse_spec(str(options["prior"]))[0] in ("standard", "gmm"):
        options["prior"] = f"gmm:{components}"
    options["epochs"] = max(trial.epochs, state.config.get("max_epochs_per_arm") or 0)
    return {k: v for k, v in options.items() if v is not None and k not in _LEFT_OUT}


def trial_yaml(
    state: SearchState,
    found: Findings,
    trial: Trial,
    run_name: str,
    components: int | None = None,
) -> str:
    """The options as YAML, headed by where they are from and what they reached."""
    reached = ", ".join(
        f"{label(o)} {figure(o, trial.figures.get(o))}"
        + (f" (test {figure(o, trial.test[o])})" if o in trial.test else "")
        for o in found.objectives
    )
    space = Space.from_dict(state.space).fingerprint[:12] if state.space else "none"
    head = [
        f"Trial {trial.number} ({trial.arm}) of {run_name}, after {trial.epochs} epochs.",
        f"On validation images: {reached}.",
        f"Proposed by {state.config.get('sampler')}, search seed {state.config.get('seed')}, "
        f"space {space}.",
        "Train it: vaesearch bandit --config THIS_FILE, with --epochs, --seed, ... to differ.",
    ]
    options = trial_options(state, trial, components)
    comments = "".join(f"# {line}\n" for line in head)
    return comments + str(yaml.safe_dump(options, sort_keys=False))
