"""What is to be tried: from what a user typed, or a search space says, to numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vaesearch.arguments import whole
from vaesearch.compatibility import CODES_PER_LATENT, most_components
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.metrics.fidelity import SAMPLES
from vaesearch.space import Choice, Domain, Int

SCORES = ("loglik", "fid", "bic")
TRIALS = 20
HIGHEST = 64  # of the default range
CODES = 20_000  # of training images; EM on more takes longer and changes little
CODES_WANTED = 20  # per latent and component, where that is more
_LIKE = "as in 1..64:log or 1,2,5,10"


@dataclass(frozen=True)
class Asked:
    """A study of the number of components.

    Attributes:
        values: all M that may be tried, in rising order.
        log: whether doubling M matters, and not adding.
        by: the score: ``loglik``, ``fid`` or ``bic``.
        trials: so many M are scored at most.
        samples: pictures of each mixture, for ``fid``.
        extractor: of features of pictures, for ``fid``.
        images: training images to encode at most; None for enough.

    Raises:
        InputError: something is unknown or out of range.
    """

    values: tuple[int, ...]
    log: bool = True
    by: str = "loglik"
    trials: int = TRIALS
    samples: int = SAMPLES
    extractor: str = "labels"
    images: int | None = None

    def __post_init__(self) -> None:
        if self.by not in SCORES:
            raise unknown_name("score", self.by, SCORES)
        whole("--trials", self.trials)
        whole("--samples", self.samples, 2)
        if self.images is not None:
            whole("--images", self.images, 2)

    def codes(self, train: int, latent_dim: int) -> int:
        """How many of the training images to encode."""
        wanted = max(CODES, CODES_WANTED * self.values[-1] * latent_dim)
        return min(train, self.images or wanted)

    def most(self, train: int, latent_dim: int) -> int:
        """How many Gaussians so many training images can tell apart."""
        return most_components(min(train, self.images or train), latent_dim)

    def clipped(self, train: int, latent_dim: int) -> "Asked | None":
        """Without what is too many for so many images; None if that leaves nothing."""
        most = self.most(train, latent_dim)
        values = tuple(value for value in self.values if value <= most)
        return replace(self, values=values) if values else None

    def check(self, arm: str, train: int, latent_dim: int) -> None:
        """Refuse more components than the images can tell apart.

        Raises:
            InputError: says how many there can be.
        """
        most, images = self.most(train, latent_dim), min(train, self.images or train)
        if self.values[-1] > most:
            raise InputError(
                f"{arm}: {self.values[-1]} components need {CODES_PER_LATENT} training images per "
                f"component and latent ({latent_dim}): with {images} ask for {most} at most."
            )


def read_values(text: str) -> tuple[tuple[int, ...], bool]:
    """The numbers of ``1..64:log``, ``1..9`` or ``1,2,5,10``, and whether doubling matters.

    Raises:
        InputError: it is neither, or has a number below 1, or none.
    """
    span, _, kind = text.partition(":")
    try:
        if ".." in span:
            low, high = (int(part) for part in span.split(".."))
            return _values(range(low, high + 1), text), _is_log(kind, text)
        if kind:
            raise ValueError(kind)
        return _values(map(int, span.split(",")), text), True
    except ValueError as error:
        raise InputError(f"--components takes whole numbers, {_LIKE}, not {text!r}.") from error


def values_of(domain: Domain) -> tuple[tuple[int, ...], bool]:
    """The numbers of ``gmm_components`` in a search space, and whether doubling matters.

    Raises:
        InputError: they are no whole numbers of 1 or more, or there is none.
    """
    match domain:
        case Int(low, high, log, step):
            return _values(range(low, high + 1, step), f"{low}..{high}"), log
        case Choice(options) if all(type(option) is int for option in options):
            return _values((int(option) for option in options), str(list(options))), True
    raise InputError("gmm_components takes whole numbers: a range, or a list of choices.")


def _values(numbers: Iterable[int], text: str) -> tuple[int, ...]:
    found = tuple(sorted(set(numbers)))
    if not found:
        raise InputError(f"components {text} are an empty range: give them {_LIKE}.")
    if found[0] < 1:
        raise InputError(f"a mixture has 1 component or more, not {found[0]}.")
    return found


def _is_log(kind: str, text: str) -> bool:
    if kind not in ("", "log"):
        raise ValueError(text)
    return kind == "log"
