"""Metrics as users write them, good and bad; what is measured is counted."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Estimate, Measurement

taken = []


@dataclass(frozen=True)
class Count:
    units: ClassVar = {"coun*": ("images", "higher")}
    depends: ClassVar = ("extractor",)
    power: int = 1
    offset: float = 0.0

    def check(self, subject):
        pass

    def measure(self, subject, progress):
        taken.append(subject.model.settings.decoder)
        progress(0.5)
        value = len(subject.images) ** self.power + self.offset
        figures = {"count": Estimate(value)}
        return Measurement(figures, {"extractor": subject.extractor}, ("A note.",))


@dataclass(frozen=True)
class Stop(Count):
    def measure(self, subject, progress):
        raise KeyboardInterrupt


@dataclass(frozen=True)
class NotMine(Count):
    def check(self, subject):
        if subject.model.settings.decoder == "mlp":
            raise InputError("not-mine: not for mlp; measure count.")


@dataclass(frozen=True)
class Broken(Count):
    def measure(self, subject, progress):
        raise ZeroDivisionError("by nothing")


@dataclass(frozen=True)
class Number(Count):
    def measure(self, subject, progress):
        return 3.0


@dataclass(frozen=True)
class Tensors(Count):
    def measure(self, subject, progress):
        return Measurement({"a": Estimate(1.0)}, {"codes": subject.images})


@dataclass(frozen=True)
class Odd(Count):
    tool: Any = field(default_factory=object)


@dataclass(frozen=True)
class Lost(Count):
    depends: ClassVar = ("weather",)


class Plain:
    def check(self, subject):
        pass

    def measure(self, subject, progress):
        pass


@dataclass(frozen=True)
class Half:
    def check(self, subject):
        pass
