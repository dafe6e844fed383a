"""Why the bound of a VAE is below log p(x)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.local import Decomposition, Settings, decompose, local_family
from vaesearch.evaluation.subject import Progress, Subject
from vaesearch.models.priors import FittedMixturePrior

_NATS = "nats per image"
_LOW = (
    "gap_log_p is the best of several lower bounds, and an ascent may end below the optimum: the "
    "approximation gap is exact up to these two, which pull it to opposite sides."
)


@dataclass(frozen=True)
class Gap(Settings):
    """log p(x) - L[q] in its parts (Cremer, Li & Duvenaud 2018), with log p(x|z) as in training.

    ``gap`` = ``gap_approximation`` + ``gap_amortisation``: what the best q* of the model's own
    family lacks to log p(x), and what the encoder's q lacks to q*. ``gap_flexibility`` is what a
    local flow, which starts as the best Gaussian with correlations, has over the best diagonal
    one. ``gap_log_p`` is the best of ``gap_iwae_*`` and
    ``gap_ais``; ``gap_elbo_*`` are the bounds of the posteriors: ``q`` is the encoder's, and
    ``local`` (of its family), ``ffg``, ``full`` and ``flow`` are optimised for each image.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "gap_log_p": (_NATS, "higher"),
        "gap_ais": (_NATS, "higher"),
        "gap_elbo_*": (_NATS, "higher"),
        "gap_iwae_*": (_NATS, "higher"),
        "gap_flexibility": (_NATS, ""),
        "gap_approximation": (_NATS, "lower"),
        "gap_amortisation": (_NATS, "lower"),
        "gap": (_NATS, "lower"),
    }

    def check(self, subject: Subject) -> None:
        """Refuse posteriors that cannot be optimised for each image."""
        if local_family(subject.model, subject.images[:1].float().div(255)) is None:
            known = ", ".join(entry.name for entry in catalogue.POSTERIORS)
            raise InputError(
                f"gap: --posterior {subject.model.settings.posterior} is your own, so its best "
                "member for an image is not known; measure elbo and iwae:5000, whose difference "
                f"is the whole gap, or train with {known}."
            )

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, and those of differences of the differences."""
        found = decompose(subject, self, progress)
        figures = {
            name if name == "gap" else f"gap_{name}": mean_of(values)
            for name, values in found.parts().items()
        }
        figures |= {f"gap_elbo_{name}": mean_of(values) for name, values in found.elbo.items()}
        figures |= {f"gap_iwae_{name}": mean_of(values) for name, values in found.iwae.items()}
        if len(found.ais):
            figures["gap_ais"] = mean_of(found.ais)
        details = {"log_p_from": found.source, "steps": found.steps}
        return Measurement(figures, details, tuple(self._notes(subject, found)))

    def _notes(self, subject: Subject, found: Decomposition) -> list[str]:
        notes = [_LOW, f"gap_log_p is that of {found.source}, on {subject.split} images."]
        count = len(found.elbo["q"])
        if count < self.images:
            notes.append(f"There are only {count} images to measure, not {self.images}.")
        settings = subject.model.settings
        if settings.bound != "elbo" or settings.beta != 1 or settings.regularizer != "kl":
            notes.append(
                f"The model was trained with --bound {settings.bound} --regularizer "
                f"{settings.regularizer} --beta {settings.beta:g}; the gap is that of its plain "
                "ELBO, at which its encoder did not aim."
            )
        if isinstance(subject.model.prior, FittedMixturePrior):
            notes.append(
                "p(z) is the mixture that was fitted after training, of which the encoder knew "
                "nothing: that is part of the amortisation gap."
            )
        return notes
