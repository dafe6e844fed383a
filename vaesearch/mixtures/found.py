"""What a study found, and how it is told."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vaesearch.mixtures.planning import FIGURES
from vaesearch.records import Estimate
from vaesearch.search.evaluations import finite
from vaesearch.search.mixtures import Chosen, Fit

WORDS = {
    "loglik": "log-density of held-out codes",
    "fid": "FID of pictures",
    "bic": "BIC",
}


@dataclass(frozen=True)
class Tuned:
    """What a study found of one arm.

    Attributes:
        arm: whose best checkpoint.
        epoch: of it.
        digest: SHA-256 of its file.
        path: of the JSON file that the fits are kept in.
        fits: in rising order of components; with those that only guided.
        chosen: the best of them.
        made: how many were fitted just now; the others were found in the file.
    """

    arm: str
    epoch: int
    digest: str
    path: Path
    fits: tuple[Fit, ...]
    chosen: Chosen
    made: int

    @property
    def best(self) -> Fit:
        """The fit that was chosen."""
        return next(f for f in self.fits if f.components == self.chosen.components)

    @property
    def score(self) -> Estimate:
        """Of the best, by what it was chosen by."""
        return self.best.figures[FIGURES[self.chosen.by][0]]

    def sentence(self) -> str:
        """What was found, in a line."""
        count, score, least = self.chosen.components, self.score, self.chosen.smallest
        value = f"{score.value:,.0f}" if score.error is None else _written(score)
        fewer = ""
        if least is not None and least < count:
            fewer = f"; {least} {'is' if least == 1 else 'are'} within one standard error"
        kind = "1 Gaussian suits" if count == 1 else f"{count} Gaussians suit"
        by = f"{WORDS[self.chosen.by]} {value}"
        return f"{self.arm}: {kind} its codes best ({by}{fewer})."

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "arm": self.arm,
            "epoch": self.epoch,
            "digest": self.digest,
            "path": str(self.path),
            "gmm_components": self.chosen.components,
            "by": self.chosen.by,
            "among": list(self.chosen.among),
            "smallest_within_error": self.chosen.smallest,
            "made": self.made,
            "fits": finite([asdict(fit) for fit in self.fits]),
        }


def _written(score: Estimate) -> str:
    """The value with as many digits as its error is sure of."""
    error = score.error or 0.0
    digits = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 3
    return f"{score.value:.{digits}f} ± {error:.{digits}f}"
