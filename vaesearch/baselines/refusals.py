"""What the shared encoder does not do, said before anything is trained."""

from vaesearch import catalogue
from vaesearch.config import Config
from vaesearch.errors import InputError
from vaesearch.models.likelihoods import Likelihood

_ALONE = "it trains one encoder in one process."
_REPORTED = "its loss is the report's: reconstruction plus --beta times KL to N(0, I)."


def check_shared(config: Config) -> None:
    """Refuse options that would be left aside.

    Raises:
        InputError: names the option and why it has no meaning here.
    """
    encoders = {arm.settings.encoder for arm in config.arms()}
    likelihood = type(catalogue.build("likelihoods", config.likelihood))
    is_staged = getattr(likelihood, "end_epoch", None) is not Likelihood.end_epoch
    plain = Config(likelihood=config.likelihood, pixels=config.pixels, reward=config.reward)
    for option, is_asked, why in (
        ("--workers", (config.workers or 1) > 1, _ALONE),
        ("--gpus-per-worker", config.gpus_per_worker is not None, _ALONE),
        ("--address", config.address is not None, _ALONE),
        ("--encoders", len(encoders) > 1, "all decoders share one; name one encoder."),
        ("--seconds", config.seconds is not None, "its budget is --epochs, passes over the data."),
        ("--confidence", config.confidence is not None, "it always spends its budget."),
        (
            "--max-epochs-per-arm",
            config.max_epochs_per_arm is not None,
            "an arm is a decoder, and a pull a batch.",
        ),
        ("--alpha", config.alpha > 0, _REPORTED),
        ("--bound", config.bound != plain.bound, _REPORTED),
        ("--regularizer", config.regularizer != plain.regularizer, _REPORTED),
        ("--annealing", config.annealing != plain.annealing, _REPORTED),
        ("--prior", config.prior != plain.prior, _REPORTED),
        (
            f"--likelihood {config.likelihood}",
            is_staged and issubclass(likelihood, Likelihood),
            "it is trained in stages of epochs, and a decoder has batches here.",
        ),
        (
            "--tracking-uri",
            config.tracking_uri not in (None, "none"),
            "it is not tracked in MLflow; its results are files in the run directory.",
        ),
    ):
        if is_asked:
            raise InputError(f"{option} does not go with --shared-encoder: {why}")
