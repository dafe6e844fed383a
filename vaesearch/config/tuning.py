"""Options of ``vaesearch tune`` and ``vaesearch search``, beside those of a bandit."""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

from vaesearch import catalogue
from vaesearch.config.core import MAY_CHANGE, Config, option
from vaesearch.errors import InputError
from vaesearch.records import Arm

EPOCHS_PER_TRIAL = 10  # the default budget: a bandit leaves most trials early
MOST_EPOCHS = 30  # the default cap of one trial
DEFAULT_TRIALS = 20
TRIALS_WITHOUT_END = 100_000  # where the budget is given in epochs or seconds
TUNING_MAY_CHANGE = (*MAY_CHANGE, "trials", "storage")


@dataclass(frozen=True)
class TuneConfig(Config):
    """Options of a search whose arms are proposed while it runs.

    With several ``decoders`` (or encoders) the arms of each pair are a group, and the bandit
    decides which group the next proposal is for.

    Raises:
        InputError: a value is unknown or out of range, or two of them exclude each other.
    """

    decoders: str = option("1", "names, or the first n; each is tuned for itself")
    space: str = option("", "what to search: a shipped space or FILE.yaml; default DATASET's own")
    set: tuple[str, ...] = option(
        (), "NAME=DOMAIN changes the space, as latent_dim=2..64:log; may be repeated"
    )
    trials: int | None = option(
        None, f"most proposals to train; {DEFAULT_TRIALS} without --epochs or --seconds"
    )
    sampler: str = option("tpe", "who proposes (`vaesearch list samplers`)")
    objective: tuple[str, ...] = option(
        ("bpd",), "figure to optimise (`vaesearch list objectives`); may be repeated"
    )
    constraint: tuple[str, ...] = option(
        (), "as parameters<=1e6, flops<=1e8, memory<=2e9, seconds<=5 (per epoch); may be repeated"
    )
    live: int = option(5, "candidates kept open side by side by a policy made for a fixed set")
    enqueue: tuple[str, ...] = option(
        (), "propose this first: name=value,... or FILE.yaml; may be repeated"
    )
    warm_start: str | None = option(
        None, "learn from the trials of an earlier RUN_DIR", flag="from"
    )
    storage: str | None = option(
        None, "Optuna storage (RDB URL) that mirrors the trials; default study.db in the run"
    )
    study: str | None = option(None, "name of the Optuna study; default that of the run")

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self)

    def resolved(self, *, images: int, channels: int) -> Self:
        """As for a bandit, with the budget of trials and the name of the space."""
        bounded = self.epochs is not None or self.seconds is not None
        trials = self.trials or (TRIALS_WITHOUT_END if bounded else DEFAULT_TRIALS)
        epochs = self.epochs if bounded else EPOCHS_PER_TRIAL * trials
        cap = self.max_epochs_per_arm or MOST_EPOCHS
        filled = replace(self, epochs=epochs, trials=trials, max_epochs_per_arm=cap)
        return super(TuneConfig, filled).resolved(images=images, channels=channels)

    def arms(self) -> list[Arm]:
        """None at first: they are proposed."""
        return []

    def groups(self) -> dict[str, tuple[str, str]]:
        """The (encoder, decoder) pairs that are tuned, by name."""
        return {arm.name: (arm.settings.encoder, arm.settings.decoder) for arm in super().arms()}


def config_class(options: dict[str, Any]) -> type[Config]:
    """Whether these are options of a bandit or of tuning."""
    return TuneConfig if "sampler" in options else Config


def read_config(options: dict[str, Any], *, source: str) -> Config:
    """The configuration that a run was started with, of whichever class.

    Raises:
        InputError: as :meth:`Config.from_dict`.
    """
    return config_class(options).from_dict(options, source=source)


def _check(config: TuneConfig) -> None:
    for name in ("trials", "live"):
        value = getattr(config, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"--{name} must be above 0, not {value}.")
    catalogue.find("samplers", config.sampler)
    for name in config.objective:
        catalogue.find("objectives", name)
    if config.shared_encoder:
        raise InputError("--shared-encoder is for `vaesearch bandit` only.")
