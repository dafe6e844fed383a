"""Whether pixels are as far from what the model expects as it says that they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Estimate, Measurement, mean_of
from vaesearch.evaluation.forecasts import Forecast, forecast, is_known
from vaesearch.evaluation.subject import BATCH, Progress, Subject
from vaesearch.models.pixels import LEVELS, BernoulliPixels

CENTRAL = (50, 90, 95)  # per cent, of the central intervals
HISTOGRAM = 20  # bars, of the ranks of pixels in their forecasts
ROUNDING = 1 / (12 * LEVELS**2)  # variance of a level about a number that was rounded to it
NOTE = (
    "Forecasts are p(x|z) at a code drawn from q(z|x) of the image itself: this is the "
    "calibration of reconstructions, not of new images."
)


@dataclass(frozen=True)
class Calibration:
    """The forecast p(x|z) of each pixel, at one sample of z ~ q(z|x), beside the pixel.

    - ``coverage_50``, ``_90``, ``_95``: the share of pixels inside the central interval of so
      many per cent. A pixel's place u in its forecast is P(X < x) + v P(X = x) with v uniform on
      [0, 1], which is uniform itself for a true forecast, of levels too (Czado et al. 2009).
    - ``error_ratio``: root mean squared error over the root of the mean predicted variance; above
      1 the model is too sure. ``mean_z``: the mean error in units of the same root.
    - ``ence``: that ratio's distance from 1 within bins of equal numbers of pixels, by predicted
      variance, on average (Levi et al. 2019). Chance alone makes it a little above 0.
    - ``spearman``: rank correlation of predicted variance and squared error within each image, on
      average; not there where all pixels have the same variance.

    Args:
        bins: of ``ence``; fewer where many pixels have the same variance.

    Raises:
        InputError: ``bins`` is no whole number, or below 1.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "coverage_*": ("share of pixels", ""),
        "spearman": ("", "higher"),
        "ence": ("", "lower"),
    }
    bins: int = 10

    def __post_init__(self) -> None:
        whole("the bins of calibration", self.bins)

    @torch.no_grad()
    def check(self, subject: Subject) -> None:
        """Refuse pixels that have no spread of their own, and a single image."""
        likelihood = subject.model.settings.likelihood
        x = next(subject.batches())[:1]
        pixels = subject.model.decode(subject.model.encode(x).mean)
        if not subject.has_mass:
            raise InputError(
                f"calibration: --likelihood {likelihood} is no probability of 8-bit pixels; "
                "measure mse, or train with continuous-bernoulli."
            )
        if isinstance(pixels, BernoulliPixels):
            raise InputError(
                f"calibration is of a predicted spread, and --likelihood {likelihood} has none "
                "beside its mean; measure bpd, which is a proper score of it."
            )
        if not is_known(pixels):
            raise InputError(
                f"calibration knows no distribution function of {type(pixels).__name__}: "
                "register one with vaesearch.evaluation.forecasts.forecast, or measure bpd."
            )
        if len(subject.images) < 2:
            raise InputError("calibration compares images: give it 2 or more.")

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images; those of ratios by leaving out one image at a time."""
        codes, ties = (subject.generator("calibration", name) for name in ("codes", "ties"))
        places, squares, variances, sums = [], [], [], []
        for x in subject.batches():
            found = _forecast(subject, x, codes)
            chance = torch.rand(x.shape, generator=ties, dtype=torch.float64, device=x.device)
            places.append(_flat(found.below + chance * (found.upto - found.below)))
            squares.append(_flat(found.error.square()))
            variances.append(_flat(found.variance))
            sums.append(found.error.flatten(1).sum(dim=1))
            progress(sum(map(len, sums)) / len(subject.images))
        place, square, variance = (torch.cat(parts) for parts in (places, squares, variances))
        bins, table = _bins(variance, square, self.bins)
        figures = _coverage(place)
        figures["error_ratio"] = _jackknife(*_totals(square, variance), _root_ratio)
        error = torch.cat(sums).unsqueeze(1)
        figures["mean_z"] = _jackknife(error, *_totals(variance, torch.ones_like(variance)), _mean)
        figures["ence"] = _jackknife(*bins, _ence)
        notes: tuple[str, ...] = (NOTE,)
        if bool((variance.amax(dim=1) > variance.amin(dim=1) * (1 + 1e-6)).all()):
            figures["spearman"] = mean_of(_spearman(variance, square))
        else:
            notes += ("All pixels have the same variance, so it has no order to compare.",)
        histogram = torch.histc(place.cpu(), HISTOGRAM, 0, 1) / place.numel()
        return Measurement(figures, {"bins": table, "places": histogram.tolist()}, notes)


def _forecast(subject: Subject, x: Tensor, codes: torch.Generator) -> Forecast:
    z, chunk = subject.model.encode(x).rsample(codes), subject.chunk or BATCH
    parts = [
        forecast(subject.model.decode(code), picture)
        for code, picture in zip(torch.split(z, chunk), torch.split(x, chunk), strict=True)
    ]
    return Forecast(
        *(
            torch.cat([getattr(part, name) for part in parts])
            for name in ("below", "upto", "error", "variance")
        )
    )


def _coverage(place: Tensor) -> dict[str, Estimate]:
    distance = (place - 0.5).abs()
    shares = {c: (distance <= c / 200).double().mean(dim=1) for c in CENTRAL}
    return {f"coverage_{c}": mean_of(share) for c, share in shares.items()}


def _spearman(variance: Tensor, square: Tensor) -> Tensor:
    """Of each image, ``[N]``."""
    first, second = (_centred_ranks(values) for values in (variance, square))
    norms = first.square().sum(dim=1) * second.square().sum(dim=1)
    return (first * second).sum(dim=1) / norms.sqrt().clamp_min(1)


def _centred_ranks(values: Tensor) -> Tensor:
    """Ranks in each row, of mean 0; equal values share their mean rank."""
    ordered = values.sort(dim=1).values
    fewer, upto = (torch.searchsorted(ordered, values, right=right) for right in (False, True))
    return 0.5 * (fewer + upto - values.shape[1]).double()


def _bins(
    variance: Tensor, square: Tensor, count: int
) -> tuple[tuple[Tensor, Tensor, Tensor], list[dict[str, Any]]]:
    """Sums of each image in each bin, ``[N, bins]``, and the bins of all images as a table."""
    inner = np.quantile(variance.cpu().numpy(), np.arange(1, count) / count, method="higher")
    edges = torch.as_tensor(np.unique(inner), dtype=variance.dtype, device=variance.device)
    which = torch.bucketize(variance, edges, right=True)
    numbers = [torch.ones_like(variance), variance, square]
    sums = [
        torch.zeros(
            len(variance), len(edges) + 1, dtype=torch.float64, device=variance.device
        ).scatter_add_(1, which, values.double())
        for values in numbers
    ]
    pixels, predicted, found = (s.sum(dim=0) for s in sums)
    table = [
        {"pixels": int(n), "predicted": (v / n).sqrt().item(), "found": (s / n).sqrt().item()}
        for n, v, s in zip(pixels, predicted, found, strict=True)
        if n > 0
    ]
    return (sums[0], sums[1], sums[2]), table


def _ence(pixels: Tensor, variance: Tensor, square: Tensor) -> Tensor:
    """Of sums in bins ``[..., bins]``; no predicted error counts as less than that of rounding."""
    each = pixels.clamp_min(1)
    predicted = (variance / each).clamp_min(ROUNDING).sqrt()
    distance = ((square / each).sqrt() - predicted).abs() / predicted
    return (pixels * distance).sum(dim=-1) / pixels.sum(dim=-1)


def _root_ratio(first: Tensor, second: Tensor) -> Tensor:
    return (first / second).sqrt().squeeze(-1)


def _mean(error: Tensor, variance: Tensor, pixels: Tensor) -> Tensor:
    return (error / (variance * pixels).sqrt()).squeeze(-1)


def _totals(*values: Tensor) -> list[Tensor]:
    return [v.double().sum(dim=1, keepdim=True) for v in values]


def _jackknife(*arguments: Any) -> Estimate:
    """A function (the last argument) of sums over images, from those of each ``[N, ...]``."""
    *each, function = arguments
    totals = [values.sum(dim=0) for values in each]
    without = function(*(total - values for total, values in zip(totals, each, strict=True)))
    count = len(without)
    error = ((count - 1) / count * (without - without.mean()).square().sum()).sqrt()
    return Estimate(function(*totals).item(), error.item(), count)


def _flat(values: Tensor) -> Tensor:
    return values.flatten(1).float()
