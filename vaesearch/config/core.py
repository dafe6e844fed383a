"""All options of a search in one frozen record; a key is the same on the command line and in YAML.

``resolve`` fills in what depends on other options, so that what is written to ``config.yaml`` says
exactly what ran.
"""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from vaesearch import catalogue
from vaesearch.compatibility import check_combination, check_components, has_mass
from vaesearch.config.reading import choose, coerce
from vaesearch.errors import InputError, unknown_name
from vaesearch.records import Arm, TrialSettings

PIXELS = ("8bit", "binary")
BACKENDS = ("ray", "local")
PRECISIONS = ("float32", "bfloat16")
ON_OOM = ("halve", "fail")
# What may differ between two processes that work on one search: how long it may run, where, and
# who decides.
BUDGET = ("epochs", "seconds", "max_epochs_per_arm")
PLACES = (
    "workers", "gpus_per_worker", "hang_seconds", "backend", "address", "tracking_uri",
    "experiment", "register", "data_dir",
)  # fmt: skip
DECIDERS = ("policy", "chunk", "confidence", "on_oom")
MAY_CHANGE = BUDGET + PLACES + DECIDERS
EPOCHS_PER_ARM = 20  # the default budget, per candidate


def option(default: Any, text: str, **more: Any) -> Any:
    """A field of :class:`Config` with the help that the command line shows.

    ``more`` may name its ``flag`` where that is not made of the name.
    """
    return field(default=default, metadata={"help": text} | more)


@dataclass(frozen=True)
class Config:
    """Options of ``vaesearch bandit``; None means a default that depends on data or machine.

    Raises:
        InputError: a value is unknown or out of range, or two of them exclude each other.
    """

    dataset: str = option("digits", "a name (`vaesearch list datasets`), PATH.npz or a folder")
    data_dir: str = option("data", "where datasets are looked for and downloaded to")
    image_size: int = option(32, "images become squares of this many pixels")
    pixels: str = option("8bit", "8bit, or binary: thresholded at one half")
    train_limit: int | None = option(
        None, "use this many training images, and a quarter as many to validate and test"
    )
    decoders: str = option("5", "names, or the first n; every encoder-decoder pair is an arm")
    encoders: str = option("1", "names, or the first n")
    shared_encoder: bool = option(
        False, "the report's system: one encoder, a decoder drawn per batch; --epochs are passes"
    )
    policy: str = option(
        "auto", "who gets the next epoch (`vaesearch list policies`), or MODULE:CLASS"
    )
    epochs: int | None = option(
        None, f"total budget in epochs; {EPOCHS_PER_ARM} per arm without --seconds"
    )
    seconds: float | None = option(None, "total budget in wall-clock seconds")
    max_epochs_per_arm: int | None = option(None, "cap on the epochs of one arm")
    chunk: int = option(
        1, "epochs per pull at least; more waste less time on switching between arms"
    )
    confidence: float | None = option(
        None, "end once the leader is the best with this probability; default: spend the budget"
    )
    reward: str = option("bpd", "validation figure to compare arms by (`vaesearch list rewards`)")
    likelihood: str = option("discretized-normal", "p(x|z) (`vaesearch list likelihoods`)")
    posterior: str = option("gaussian", "q(z|x) (`vaesearch list posteriors`)")
    prior: str = option("standard", "p(z) (`vaesearch list priors`)")
    bound: str = option("elbo", "bound to maximise (`vaesearch list bounds`)")
    regularizer: str = option("kl", "cost of encodings (`vaesearch list regularizers`)")
    beta: float = option(1.0, "weight of the regulariser")
    annealing: str = option("none", "of which weight, over how many epochs: kl:10, entropy:10")
    latent_dim: int | None = option(None, "size of z; 16 for grey and 64 for colour images")
    width: float = option(0.25, "multiplier on all channel counts; 1.0 is the report's size")
    alpha: float = option(0.0, "weight of the consistency term KL(z'||z)")
    learning_rate: float = option(1e-3, "of Adam")
    batch_size: int | None = option(None, "images per step; 128, or fewer on little data")
    precision: str = option("float32", "float32 or bfloat16")
    workers: int | None = option(
        None, "pulls side by side; one per CPU core or GPU, and no more than there are arms"
    )
    gpus_per_worker: float | None = option(None, "fraction of a GPU for each worker")
    hang_seconds: float | None = option(
        None, "replace a worker that makes no progress for so long; 20 slow epochs, at least 300 s"
    )
    on_oom: str = option(
        "halve", "halve the batches of an arm that is too large for a GPU, or fail: give it up"
    )
    backend: str = option("ray", "ray, or local: one worker in this process")
    address: str | None = option(None, "of a running Ray cluster; starts one here by default")
    seed: int = option(0, "of everything random")
    tracking_uri: str | None = option(None, "MLflow; default mlflow.db beside the run; or none")
    experiment: str = option("vaesearch", "MLflow experiment")
    register: str | None = option(None, "register the best model in MLflow under this name")

    def __post_init__(self) -> None:
        _check(self)

    def resolved(self, *, images: int, channels: int) -> Self:
        """With what depends on the data filled in: batch size, latent size, the budget, paths.

        Args:
            images: how many there are to train on.
            channels: 1 for grey, 3 for colour.

        Raises:
            InputError: the prior has more components than there are images for.
        """
        dataset = Path(self.dataset)
        is_path = dataset.exists() and self.dataset not in {e.name for e in catalogue.DATASETS}
        values: dict[str, Any] = {
            "data_dir": str(Path(self.data_dir).absolute()),
            "dataset": str(dataset.absolute()) if is_path else self.dataset,
            "tracking_uri": absolute_database(self.tracking_uri),
            "batch_size": self.batch_size or default_batch_size(images),
            "latent_dim": self.latent_dim or (16 if channels == 1 else 64),
        }
        if self.epochs is None and self.seconds is None:
            encoders = choose("encoders", self.encoders)
            decoders = choose("decoders", self.decoders)
            values["epochs"] = EPOCHS_PER_ARM * len(encoders) * len(decoders)
        resolved = replace(self, **values)
        check_components(resolved.settings(), images)
        return resolved

    def arms(self) -> list[Arm]:
        """The candidates: every (encoder, decoder) pair, named by what tells them apart.

        Call it on a :meth:`resolved` configuration.

        Raises:
            InputError: a name is unknown, a count too large, or a pair is given twice.
        """
        encoders = choose("encoders", self.encoders)
        decoders = choose("decoders", self.decoders)
        arms = []
        for encoder in encoders:
            for decoder in decoders:
                name = decoder if len(encoders) == 1 else f"{encoder}+{decoder}"
                arms.append(Arm(name, self.settings(encoder, decoder)))
        return arms

    def settings(self, encoder: str = "", decoder: str = "") -> TrialSettings:
        """Of the arm with these networks; the rest is the same in all arms."""
        shared = {f.name for f in fields(TrialSettings)} & {f.name for f in fields(self)}
        values = {name: getattr(self, name) for name in shared}
        return TrialSettings(**{**values, "encoder": encoder, "decoder": decoder})

    def to_dict(self) -> dict[str, Any]:
        """Plain data, one key per option."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, source: str = "configuration") -> Self:
        """The configuration that ``data`` describes; keys may be written with ``-`` or ``_``.

        Raises:
            InputError: an unknown key (the nearest is suggested) or a value out of range.
        """
        allowed = {f.name for f in fields(cls)}
        flags = {f.metadata["flag"]: f.name for f in fields(cls) if "flag" in f.metadata}
        values = {}
        for key, value in data.items():
            name = str(key).replace("-", "_")
            name = flags.get(name, name)
            if name not in allowed:
                raise unknown_name(f"key in {source}", name, allowed)
            values[name] = value
        return cls(**{k: coerce(cls.__dataclass_fields__[k], v) for k, v in values.items()})

    def changed(self, **options: Any) -> Self:
        """A copy with the options that are not None replaced."""
        return replace(self, **{k: v for k, v in options.items() if v is not None})


def default_batch_size(images: int) -> int:
    """The report's 128, or on few images the power of two that leaves an epoch 30 steps or more.

    >>> default_batch_size(60_000), default_batch_size(1_200)
    (128, 32)
    """
    size = 128
    while size > 16 and images // size < 30:
        size //= 2
    return size


def _check(config: Config) -> None:
    """Everything that can be known to be wrong before data or networks are touched."""
    for axis, spec in (
        ("policies", config.policy),
        ("likelihoods", config.likelihood),
        ("posteriors", config.posterior),
        ("priors", config.prior),
        ("bounds", config.bound),
        ("regularizers", config.regularizer),
        ("annealings", config.annealing),
        ("rewards", config.reward),
    ):
        catalogue.find(axis, spec)
    choose("decoders", config.decoders)
    choose("encoders", config.encoders)
    for name, allowed in (
        ("pixels", PIXELS), ("backend", BACKENDS), ("precision", PRECISIONS), ("on_oom", ON_OOM),
    ):  # fmt: skip
        if getattr(config, name) not in allowed:
            raise unknown_name(name, getattr(config, name), allowed)
    for name in (
        "epochs", "seconds", "max_epochs_per_arm", "chunk", "workers", "train_limit", "batch_size",
        "latent_dim", "image_size", "width", "learning_rate", "gpus_per_worker",
        "hang_seconds",
    ):  # fmt: skip
        value = getattr(config, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{_option(name)} must be above 0, not {value}.")
    for name in ("alpha", "beta"):
        value = getattr(config, name)
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"--{name} must be 0 or above, not {value}.")
    if config.confidence is not None and not 0.5 < config.confidence < 1:
        raise InputError(f"--confidence must be above 0.5 and below 1, not {config.confidence:g}.")
    if config.batch_size == 1:
        raise InputError("--batch-size must be at least 2: batch normalisation needs a spread.")
    if config.backend == "local" and (config.workers or 1) > 1:
        raise InputError(
            f"--backend local runs one worker in this process, not {config.workers}; "
            "use --backend ray for more."
        )
    check_model_name(config.register)
    if config.register and config.tracking_uri == "none":
        raise InputError("--register needs MLflow: leave out --tracking-uri none.")
    check_combination(config.settings(), config.pixels)
    if config.reward == "bpd" and not has_mass(config.settings()):
        raise InputError(
            f"--likelihood {config.likelihood} is no probability of 8-bit pixels, so it has no "
            "bits/dim: add --reward elbo, or choose another (`vaesearch list likelihoods`)."
        )


def check_model_name(name: str | None) -> None:
    """Refuse a name that no registered model can have."""
    if name is None:
        return
    if not name.strip() or len(name) > 256 or name.startswith(".") or set("/:") & set(name):
        raise InputError(
            f"--register {name!r} can be no model's name: write 1 to 256 characters without / "
            "and :, the first of them no dot, such as digits-vae."
        )


def absolute_database(uri: str | None) -> str | None:
    """A SQLite address that means the same file from wherever the search is resumed."""
    prefix = "sqlite:///"
    if uri is None or not uri.startswith(prefix):
        return uri
    return prefix + str(Path(uri.removeprefix(prefix)).absolute())


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
