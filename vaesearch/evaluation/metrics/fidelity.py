"""How like images the pictures of a model are, as distances between features of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.evaluation.chunks import usual_chunk, with_enough_memory
from vaesearch.evaluation.estimates import Estimate, Measurement
from vaesearch.evaluation.extractors import Extractor, make_extractor
from vaesearch.evaluation.extractors.core import extract
from vaesearch.evaluation.frechet import frechet_estimate
from vaesearch.evaluation.kernel import kernel_estimate
from vaesearch.evaluation.metrics.aggregate import check_components, prior_of_training
from vaesearch.evaluation.subject import Progress, Subject

SAMPLES = 10_000
SUBSETS = 20
# The mean of p(x|z) and no draw from it: noise on every pixel is in no image.
Maker = Callable[[int, int], Tensor]


@dataclass(frozen=True)
class FID:
    """Fréchet distance of pictures from the images measured on (Heusel et al. 2017).

    ``fid_prior``: samples of the prior, N(0, I) where the model's own is a fitted mixture.
    ``fid_gmm``: samples of the aggregate posterior as a mixture (Lin et al. 2019).
    ``fid_reconstruction``: the images, reconstructed from their mean codes.
    ``fid_real``: training images, the floor that a perfect model would reach.

    Args:
        samples: of the prior and of the mixture, and training images if there are so many.
        components: of the mixture, as :meth:`Subject.mixture` takes them.

    Raises:
        InputError: ``samples`` or ``components`` is no whole number of 1 or more.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"fid_*": ("squared distance", "lower")}
    depends: ClassVar[tuple[str, ...]] = ("extractor",)
    samples: int = SAMPLES
    components: int | None = None

    def __post_init__(self) -> None:
        _check_settings("fid", self.samples, self.components)

    def check(self, subject: Subject) -> None:
        """Refuse fewer pictures than their covariance needs, and extractors that cannot work."""
        check_components(f"fid:components={self.components}", self.components, subject)
        features = make_extractor(subject.extractor, subject.data).features
        for given, count, more in _counts("fid", self.samples, subject):
            # N pictures leave a covariance of rank N - 1 at most.
            if count <= features:
                raise InputError(
                    f"fid: {count} {given} leave the covariance of the {features} features of "
                    f"--extractor {subject.extractor} singular. Take more than {features} ({more})"
                    ", measure kid, or take an extractor of fewer features."
                )

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over pictures, by a jackknife; details say how biased each figure is."""
        found = _features(subject, self.samples, self.components, progress)
        distances = {
            name: frechet_estimate(features, found.reference)
            for name, features in found.pictures.items()
        }
        bias = {f"fid_{name}": one.bias for name, one in distances.items()}
        return Measurement(
            {f"fid_{name}": one.distance for name, one in distances.items()},
            found.details | {"bias": bias},
            (
                "FID is too high for want of pictures, by about the bias in the details: compare "
                "only the same numbers of samples and images, and the same extractor.",
                *found.notes,
            ),
        )


@dataclass(frozen=True)
class KID:
    """Kernel distance of pictures from the images measured on (Bińkowski et al. 2018).

    ``kid_prior``, ``kid_gmm``, ``kid_reconstruction`` and ``kid_real`` as in :class:`FID`.
    Unbiased at any number of pictures; about 0 for pictures like the images.

    Args:
        samples: of the prior and of the mixture, and training images if there are so many.
        components: of the mixture, as :meth:`Subject.mixture` takes them.
        subsets: disjoint parts of the pictures that the error is taken over.

    Raises:
        InputError: one of them is no whole number of 1 or more, or ``subsets`` is below 2.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"kid_*": ("squared discrepancy", "lower")}
    depends: ClassVar[tuple[str, ...]] = ("extractor",)
    samples: int = SAMPLES
    components: int | None = None
    subsets: int = SUBSETS

    def __post_init__(self) -> None:
        _check_settings("kid", self.samples, self.components)
        whole("the subsets of kid", self.subsets, 2)

    def check(self, subject: Subject) -> None:
        """Refuse subsets of a single picture, and extractors that cannot work here."""
        check_components(f"kid:components={self.components}", self.components, subject)
        make_extractor(subject.extractor, subject.data)
        for given, count, more in _counts("kid", self.samples, subject):
            if count < 2 * self.subsets:
                raise InputError(
                    f"kid: {count} {given} are too few for {self.subsets} subsets of 2: take "
                    f"{2 * self.subsets} or more ({more}), or fewer subsets (kid:subsets=2)."
                )

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over disjoint subsets of the pictures."""
        found = _features(subject, self.samples, self.components, progress)
        figures: dict[str, Estimate] = {
            f"kid_{name}": kernel_estimate(features, found.reference, self.subsets)
            for name, features in found.pictures.items()
        }
        return Measurement(figures, found.details, found.notes)


@dataclass(frozen=True)
class _Found:
    """Features ``[N, F]`` of each set of pictures and of the images, and what to know of them."""

    pictures: dict[str, Tensor]
    reference: Tensor
    details: dict[str, Any]
    notes: tuple[str, ...]


@torch.no_grad()
def _features(
    subject: Subject, samples: int, components: int | None, progress: Progress
) -> _Found:
    extractor = make_extractor(subject.extractor, subject.data)
    jobs = _jobs(subject, samples, components)
    total, done = sum(count for count, _ in jobs.values()), 0
    chunk = subject.chunk or usual_chunk(subject.data.dims, subject.device)
    found: dict[str, Tensor] = {}
    for name, (count, pictures) in jobs.items():
        told = partial(_advance, progress, done, total)
        work = partial(extract, extractor, count, pictures, told)
        found[name], chunk = with_enough_memory(work, chunk)
        done += count
    reference = found.pop("images")
    notes = [f"Features are {_words(subject, extractor)}."]
    if "real" not in found:
        notes.append("There is no figure of training images: they are what is measured on.")
    details = {
        "extractor": _described(subject, extractor),
        "images": len(reference),
        "components": len(subject.mixture(components).means),
    }
    return _Found(found, reference, details, tuple(notes))


def _advance(progress: Progress, before: int, total: int, more: int) -> None:
    progress((before + more) / total)


def _jobs(subject: Subject, samples: int, components: int | None) -> dict[str, tuple[int, Maker]]:
    """How many pictures of each set to make, and how."""
    priors = {"prior": prior_of_training(subject.model), "gmm": subject.mixture(components)}
    jobs: dict[str, tuple[int, Maker]] = {}
    for name, prior in priors.items():
        # All codes at once: they do not depend on the chunks that are decoded.
        z = prior.sample(samples, subject.generator("fidelity", name))
        jobs[name] = samples, partial(_decoded, subject, z)
    images, train = subject.images, subject.train[:samples]
    jobs["reconstruction"] = (len(images), partial(_reconstructed, subject))
    if subject.split != "train":
        jobs["real"] = (len(train), partial(_shown, train))
    return jobs | {"images": (len(images), partial(_shown, images))}


def _decoded(subject: Subject, z: Tensor, start: int, stop: int) -> Tensor:
    return subject.model.decode(z[start:stop]).mean


def _reconstructed(subject: Subject, start: int, stop: int) -> Tensor:
    made: Tensor = subject.model(_shown(subject.images, start, stop))
    return made


def _shown(images: Tensor, start: int, stop: int) -> Tensor:
    return images[start:stop].float().div_(255)


def _described(subject: Subject, extractor: Extractor) -> dict[str, Any]:
    described = {"name": subject.extractor, "digest": extractor.digest}
    return described | {"features": extractor.features} | extractor.facts


def _words(subject: Subject, extractor: Extractor) -> str:
    return f"the {extractor.features} of --extractor {subject.extractor} {extractor.digest[:8]}"


def _check_settings(metric: str, samples: int, components: int | None) -> None:
    whole(f"the samples of {metric}", samples)
    if components is not None:
        whole(f"the components of {metric}", components)


def _counts(metric: str, samples: int, subject: Subject) -> tuple[tuple[str, int, str], ...]:
    """What there is how many of, and how to have more."""
    more = "a larger --images or --train-limit"
    return (
        ("samples", samples, f"{metric}:samples={SAMPLES}"),
        (f"{subject.split} images", len(subject.images), more),
    )
