"""A row of the catalogue."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

REPORT = "Abecidan, report on AEVB"


@dataclass(frozen=True)
class Entry:
    """A member of an axis: its name, where it lives, what it is, and who proposed it.

    Attributes:
        name: as typed.
        target: ``module:attribute``, imported only when it is built.
        summary: a line for ``vaesearch list``.
        reference: the paper.
        options: arguments that tell it from others of the same target.
        traits: what :mod:`vaesearch.compatibility` has to know of it before it is built.
    """

    name: str
    target: str
    summary: str
    reference: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()

    def load(self) -> Callable[..., Any]:
        """Import the target, with this entry's options bound."""
        module, _, attribute = self.target.partition(":")
        return partial(getattr(importlib.import_module(module), attribute), **self.options)
