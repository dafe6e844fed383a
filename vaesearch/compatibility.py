"""Which members of the axes go together, said in words before anything is trained.

The axes vary independently but where the mathematics does not exist, such as a closed-form
divergence of a posterior that is no Gaussian. A user's own member is taken at its word.
"""

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.records import TrialSettings


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


def _has(axis: str, spec: str, trait: str) -> bool:
    return trait in catalogue.find(axis, spec).traits


def _lacks(axis: str, spec: str, trait: str) -> bool:
    """Whether a member of ours has not the trait; a user's own may have any."""
    entry = catalogue.find(axis, spec)
    return entry in catalogue.AXES[axis] and trait not in entry.traits
