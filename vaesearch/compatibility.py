"""Which members of the axes go together, said in words before anything is trained.

The axes vary independently but where the mathematics does not exist, such as a closed-form
divergence of a posterior that is no Gaussian. A user's own member is taken at its word.
"""

from typing import Any

from vaesearch import catalogue
from vaesearch.arguments import whole
from vaesearch.catalogue.latents import LADDER_LEVELS
from vaesearch.errors import InputError
from vaesearch.records import TrialSettings
from vaesearch.specs import parse_spec

# Codes of images for each latent of each Gaussian that is fitted to them; with fewer its
# covariance is noise.
CODES_PER_LATENT = 4
_POSTERIORS = {
    "gaussian": "a Gaussian",
    "diagonal": "a diagonal Gaussian",
    "density": "a posterior whose density is known at any z",
}


def has_mass(settings: TrialSettings) -> bool:
    """Whether the likelihood is, or can be scored as, a probability mass on the pixels."""
    return not _has("likelihoods", settings.likelihood, "relaxed")


def check_combination(settings: TrialSettings, pixels: str) -> None:
    """Refuse what has no meaning together.

    Args:
        settings: of an arm; its networks do not matter.
        pixels: ``8bit`` or ``binary``.

    Raises:
        InputError: two members that exclude each other; says which and what to use instead.
    """
    _check_pixels(settings, pixels)
    _check_steps(settings.posterior)
    _check_alpha(settings)
    _check_ladder(settings)
    _check_needs("--bound", "bounds", settings.bound, settings)
    _check_needs("--regularizer", "regularizers", settings.regularizer, settings)
    _check_needs("--prior", "priors", settings.prior, settings)
    _check_parts_of_kl(settings)


def check_comparable(settings: TrialSettings, other: TrialSettings, reward: str) -> None:
    """Refuse to rank two arms by a figure that means something else for each.

    Raises:
        InputError: a reward in nats and two likelihoods, or bits/dim where there are none.
    """
    if reward != "bpd" and settings.likelihood != other.likelihood:
        raise InputError(
            f"--reward {reward} cannot rank {settings.likelihood} beside {other.likelihood}: "
            "nats of different likelihoods measure different things. Use --reward bpd."
        )
    if reward == "bpd" and not has_mass(settings):
        raise InputError(f"--likelihood {settings.likelihood} has no bits/dim to be ranked by.")


def check_components(settings: TrialSettings, images: int) -> None:
    """Refuse a prior with more components than ``images`` to train on can tell apart.

    Raises:
        InputError: says how many there can be.
    """
    _, positional, keywords = parse_spec(settings.prior)
    asked = positional[0] if positional else keywords.get("components")
    if _has("priors", settings.prior, "fitted"):
        most = most_components(images, settings.latent_dim)
        why = f"{CODES_PER_LATENT} images per component and latent ({settings.latent_dim})"
    elif _has("priors", settings.prior, "pictures"):
        most, why = images, "an image for each component to start from"
    else:
        return
    if isinstance(asked, int) and asked > most:
        raise InputError(
            f"--prior {settings.prior} needs {why}; with {images} training images ask for {most} "
            "components at most."
        )


def most_components(images: int, latent_dim: int) -> int:
    """How many Gaussians so many images can tell apart.

    >>> most_components(8000, 16)
    125
    """
    return max(1, images // (CODES_PER_LATENT * latent_dim))


def _check_pixels(settings: TrialSettings, pixels: str) -> None:
    name, entry = settings.likelihood, catalogue.find("likelihoods", settings.likelihood)
    is_own = entry not in catalogue.LIKELIHOODS
    if pixels == "binary" and not ("binary" in entry.traits or is_own):
        raise InputError(
            f"--likelihood {name} is for 8-bit pixels; use bernoulli with --pixels binary."
        )
    if pixels == "8bit" and "binary" in entry.traits:
        raise InputError(
            "--likelihood bernoulli is for pixels that are 0 or 1: add --pixels binary, or use "
            "relaxed-bernoulli (with --reward elbo: it has no bits/dim) or continuous-bernoulli."
        )


def _check_steps(posterior: str) -> None:
    """The depth of a flow is known to be wrong before there are data to build networks for."""
    if _has("posteriors", posterior, "steps"):
        _, positional, keywords = parse_spec(posterior)
        for steps in (*positional[:1], keywords.get("steps", 1)):
            whole(f"--posterior {posterior}: the number of steps", steps)


def _check_alpha(settings: TrialSettings) -> None:
    if settings.alpha and _lacks("posteriors", settings.posterior, "density"):
        raise InputError(
            f"--alpha {settings.alpha:g} compares densities of z, and --posterior "
            f"{settings.posterior} has none, only a bound: use --alpha 0 or --posterior iaf:4."
        )


def _check_ladder(settings: TrialSettings) -> None:
    """The ladder posterior builds on its prior's networks, group by group."""
    if not _has("posteriors", settings.posterior, "ladder"):
        return
    wanted = f"--prior ladder:{_levels(settings.posterior)}"
    if _lacks("priors", settings.prior, "ladder"):
        raise InputError(
            f"--posterior {settings.posterior} builds on the prior of the same name: "
            f"use {wanted} with it, not {settings.prior}."
        )
    is_ours = _has("priors", settings.prior, "ladder")
    if is_ours and _levels(settings.prior) != _levels(settings.posterior):
        raise InputError(
            f"--posterior {settings.posterior} and --prior {settings.prior} must have the same "
            f"number of levels: use {wanted}."
        )


def _check_needs(option: str, axis: str, spec: str, settings: TrialSettings) -> None:
    """What a member needs of the posterior and of the prior."""
    for trait, what in _POSTERIORS.items():
        if _has(axis, spec, f"needs-{trait}") and _lacks("posteriors", settings.posterior, trait):
            raise InputError(
                f"{option} {spec} needs {what}, and --posterior {settings.posterior} is none; "
                "use --posterior gaussian."
            )
    if _has(axis, spec, "needs-standard") and _lacks("priors", settings.prior, "standard"):
        raise InputError(
            f"{option} {spec} is a formula for N(0, I), not for --prior {settings.prior}; "
            "use --prior standard or gmm."
        )


def _check_parts_of_kl(settings: TrialSettings) -> None:
    """Bounds and annealings that are made of the KL's own parts."""
    bound, regularizer = settings.bound, settings.regularizer
    if catalogue.find("regularizers", regularizer).name == "kl":
        return
    if _has("bounds", bound, "samples"):
        raise InputError(
            f"--bound {bound} weighs each sample by its own KL term, so it goes with "
            f"--regularizer kl only; use --bound elbo with {regularizer}."
        )
    if _has("annealings", settings.annealing, "entropy"):
        raise InputError(
            f"--annealing {settings.annealing} weighs the entropy inside the KL, and "
            f"--regularizer {regularizer} has none; use --annealing kl:EPOCHS."
        )


def _levels(spec: str) -> Any:
    _, positional, keywords = parse_spec(spec)
    return positional[0] if positional else keywords.get("levels", LADDER_LEVELS)


def _has(axis: str, spec: str, trait: str) -> bool:
    return trait in catalogue.find(axis, spec).traits


def _lacks(axis: str, spec: str, trait: str) -> bool:
    """Whether a member of ours has not the trait; a user's own may have any."""
    entry = catalogue.find(axis, spec)
    return entry in catalogue.AXES[axis] and trait not in entry.traits
