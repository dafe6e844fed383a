"""What a metric is."""

from typing import Protocol

from vaesearch.evaluation.estimates import Measurement
from vaesearch.evaluation.subject import Progress, Subject


class Metric(Protocol):
    """A frozen dataclass whose fields are all the settings that its figures depend on.

    The fields are plain data: with the checkpoint, the images and the seed they are the key under
    which a measurement is cached. They are checked when the metric is made.

    Two attributes of the class are optional. ``units`` says what figures are in, by their name or
    a pattern such as ``iwae_*``: the unit, and ``higher`` or ``lower`` where one is better, as in
    ``{"elbo": ("nats per image", "higher"), "kl": ("nats per image", "")}``. ``depends`` names
    what else of the subject the figures depend on, as in ``("extractor",)``: that is part of the
    key, too. Each is a ``ClassVar``, so that it is no setting.
    """

    def check(self, subject: Subject) -> None:
        """Refuse what the metric is not defined for, before anything is computed.

        Raises:
            InputError: says why, and what to measure instead.
        """
        ...

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Measure; ``progress`` is told the share that is done."""
        ...
