"""Options of ``vaesearch tune`` and ``vaesearch search``, beside those of a bandit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from vaesearch import catalogue
from vaesearch.config.core import MAY_CHANGE, Config, absolute_database, option
from vaesearch.errors import InputError
from vaesearch.records import Arm

EPOCHS_PER_TRIAL = 10  # the default budget: a bandit leaves most trials early
MOST_EPOCHS = 30  # the default cap of one trial
DEFAULT_TRIALS = 20
TRIALS_WITHOUT_END = 100_000  # where the budget is given in epochs or seconds
RANKING = "asha"  # in place of `auto` where several objectives make one rank
NO_STORAGE = "none"
STORED = ("storage", "study")  # where the trials can be looked at
TUNING_MAY_CHANGE = (*MAY_CHANGE, "trials", *STORED)


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
    epochs: int | None = option(
        None, f"total budget in epochs; {EPOCHS_PER_TRIAL} per trial without --seconds"
    )
    max_epochs_per_arm: int | None = option(
        None, f"cap on the epochs of one trial; {MOST_EPOCHS} where it is tuned"
    )
    sampler: str = option("tpe", "who proposes (`vaesearch list samplers`)")
    objective: tuple[str, ...] = option(
        ("bpd",), "figure to optimise (`vaesearch list objectives`); may be repeated"
    )
    reward: str = option("", "what arms are compared by; default the first --objective it can be")
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
        None, "Optuna storage (RDB URL) of the trials; default study.db in the run; or none"
    )
    study: str | None = option(None, "name of the Optuna study; default DATASET-SEARCH")

    def __post_init__(self) -> None:
        first = reward_of(self.objective)
        if self.reward:
            catalogue.find("rewards", self.reward)
        if self.reward not in ("", first):
            raise InputError(
                f"--reward {self.reward} contradicts --objective {' '.join(self.objective)}: "
                f"use --objective {self.reward}, which arms are compared by then, too."
            )
        object.__setattr__(self, "reward", first)
        if len(self.objective) > 1 and self.policy == "auto":
            object.__setattr__(self, "policy", RANKING)
        super().__post_init__()
        _check(self)

    def changed(self, **options: Any) -> Self:
        """A copy with the options that are not None replaced; the reward follows objectives."""
        if options.get("objective") is not None:
            options = {"reward": ""} | options
        return super().changed(**options)

    def resolved(self, *, images: int, channels: int) -> Self:
        """As for a bandit, with the budget of trials."""
        bounded = self.epochs is not None or self.seconds is not None
        trials = self.trials or (TRIALS_WITHOUT_END if bounded else DEFAULT_TRIALS)
        epochs = self.epochs if bounded else EPOCHS_PER_TRIAL * trials
        cap = self.max_epochs_per_arm or MOST_EPOCHS
        filled = replace(
            self, epochs=epochs, trials=trials, max_epochs_per_arm=cap,
            storage=absolute_database(self.storage),
        )  # fmt: skip
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


def reward_of(objectives: Sequence[str]) -> str:
    """The first objective that arms can be compared by while they train.

    Raises:
        InputError: there is none, one is unknown, or one is given twice.
    """
    for name in objectives:
        catalogue.find("objectives", name)
        if objectives.count(name) > 1:
            raise InputError(f"--objective {name} is given twice.")
    rewards = [entry.name for entry in catalogue.REWARDS]
    first = next((name for name in objectives if name in rewards), None)
    if first is None:
        raise InputError(
            f"--objective {' '.join(objectives) or '(none)'}: one of {', '.join(rewards)} must be "
            "among them, for arms are compared by it at every epoch; it may come with others, as "
            f"in --objective bpd --objective {next(iter(objectives), 'consistency')}."
        )
    return first


def _check_several(config: TuneConfig, sampler: catalogue.Entry) -> None:
    """Arms are ranked by which of them dominate which: no figure that could be projected."""
    if "several" not in sampler.traits:
        able = [e.name for e in catalogue.SAMPLERS if "several" in e.traits]
        raise InputError(
            f"--sampler {sampler.name} is for one --objective; for several: {', '.join(able)}."
        )
    policy = catalogue.find("policies", config.policy)
    ours = policy in catalogue.POLICIES
    if ours and "ranks" not in policy.traits:
        able = [e.name for e in catalogue.POLICIES if "ranks" in e.traits]
        raise InputError(
            f"--policy {policy.name} needs one figure per arm, and several --objective make a "
            f"rank: use auto, {', '.join(able)}."
        )


def _check(config: TuneConfig) -> None:
    for name in ("trials", "live"):
        value = getattr(config, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"--{name} must be above 0, not {value}.")
    if config.confidence is not None:
        raise InputError(
            "--confidence is for `vaesearch bandit`: which arm is the best cannot be told while "
            "others are still to be proposed."
        )
    sampler = catalogue.find("samplers", config.sampler)
    if len(config.objective) > 1:
        _check_several(config, sampler)
    if config.shared_encoder:
        raise InputError("--shared-encoder is for `vaesearch bandit` only.")
