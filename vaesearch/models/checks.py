"""Every arm is run once before a search starts, so that misfits cost no epoch."""

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from vaesearch.errors import InputError
from vaesearch.models.own import PROBE, is_own, run
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings

Shape = tuple[int, int, int]


def check_model(settings: TrialSettings, shape: Shape) -> int:
    """Build the model and run it forward in training mode, from images to their probability.

    This is done on meta tensors, which have shapes but no values and cost nothing. A module that
    cannot do without values is run on the CPU.

    Args:
        settings: of an arm.
        shape: ``(C, H, W)`` of the images.

    Returns:
        Trainable parameters.

    Raises:
        InputError: a part cannot be made, fails, or makes another shape than the next one takes;
            says which part, what it made and what is wanted.
    """
    try:
        return _check(settings, shape, "meta")
    # Whatever it was: what it says on real images is what a person can make use of.
    except Exception:
        return _check(settings, shape, "cpu")


def _check(settings: TrialSettings, shape: Shape, device: str) -> int:
    # Initial weights and dropout draw from the global generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with torch.device(device):
            model = VAE(settings, shape)
            _refuse_lazy(model)
            _run(model, torch.full((PROBE, *shape), 0.5))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _run(model: VAE, images: Tensor) -> None:
    _run_own(model, images)
    # The rest is ours and says what it lacks, or a user's and says what it pleases.
    try:
        z = model.encode(images).rsample()
        log_prob = model.decode(z, fit_to=images).log_prob(images)
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"the parts do not fit: {type(error).__name__}: {reason}") from error
    _compare(f"likelihood {model.settings.likelihood!r}", log_prob, images, (PROBE,))


def _run_own(model: VAE, images: Tensor) -> None:
    """Each network of a user's by itself, so that it can be told which one does not fit."""
    settings, (channels, *sides) = model.settings, model.shape
    if is_own("encoders", settings.encoder):
        what, size = f"encoder {settings.encoder!r}", model.features
        why = f" (its attribute `features` is {size})"
        _compare(what, run(what, model.encoder, images), images, (PROBE, size), why)
    if is_own("decoders", settings.decoder):
        what, z = f"decoder {settings.decoder!r}", torch.zeros(PROBE, settings.latent_dim)
        wanted = (PROBE, model.likelihood.outputs(channels), *sides)
        _compare(what, run(what, model.decoder, z), z, wanted)


def _compare(what: str, made: Tensor, of: Tensor, wanted: tuple[int, ...], why: str = "") -> None:
    if tuple(made.shape) != wanted:
        raise InputError(
            f"{what} makes {list(made.shape)} of {list(of.shape)}; wanted {list(wanted)}{why}."
        )


def _refuse_lazy(model: VAE) -> None:
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise InputError(
                f"{name} is a parameter of a lazy layer; say its size, since weights are made "
                "from the seed before any image is seen."
            )
