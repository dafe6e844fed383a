"""The best posteriors of several families for the same images, each starting from the last."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local.core import LocalPosterior
from vaesearch.evaluation.local.families import local_family
from vaesearch.evaluation.local.flows import LocalCouplings, couplings_of, local_flow
from vaesearch.evaluation.local.gaussians import (
    LocalFullGaussian,
    LocalGaussian,
    LocalLadder,
    diagonal_of,
    full_of,
)
from vaesearch.evaluation.local.search import Ascent, Course, improve, keep_better
from vaesearch.evaluation.subject import Progress, silent
from vaesearch.models.latents import FullGaussian
from vaesearch.models.vae import VAE

GAUSSIANS = Ascent()
# Their gradients are noisier: pairs of opposite noise cancel less where a map is not linear.
FLOWS = Ascent(slow_rate=0.003, samples=8, falls=4)

Stream = Callable[..., torch.Generator]  # of noise, for a path of names


@dataclass
class Optima:
    """What was found for B images.

    Attributes:
        best: posteriors by the names of
            :class:`~vaesearch.evaluation.local.decomposition.Decomposition`.
        courses: of the ascents there were: a model's own family may be one of the others.
    """

    best: dict[str, LocalPosterior] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)


def optima(
    model: VAE,
    joint: Joint,
    stream: Stream,
    *,
    flow: int,
    hidden: int,
    most: int,
    progress: Progress = silent,
) -> Optima:
    """Optimise a posterior of each family for the images of ``joint``.

    The model's own family starts at the encoder's q(z|x), and so does the diagonal Gaussian, with
    means and variances as of q; the full one starts from that, and the flow from the full one.
    Couplings of the model's own have a second start, as the full Gaussian, and each image keeps
    the better end: see :func:`~vaesearch.evaluation.local.flows.local_flow`.

    Args:
        model: in evaluation mode and float32 or better.
        joint: of the model and B images.
        stream: gives a new stream of noise for a path of names.
        flow: couplings of the flow; 0 for no flow.
        hidden: units of its networks.
        most: steps of an ascent.
        progress: told the share that is done.

    Raises:
        ValueError: the model's posterior has no local form.
    """
    found = Optima()
    total = 4 if flow else 3

    def climb(name: str, start: LocalPosterior) -> LocalPosterior:
        is_flow = not isinstance(start, (LocalGaussian, LocalFullGaussian, LocalLadder))
        ascent = replace(FLOWS if is_flow else GAUSSIANS, most=most)
        best, found.courses[name] = improve(start, joint, partial(stream, name), ascent)
        return best

    def add(name: str, best: LocalPosterior) -> LocalPosterior:
        found.best[name] = best
        progress(len(found.best) / total)
        return best

    start = local_family(model, joint.x)
    if start is None:
        raise ValueError(f"--posterior {model.settings.posterior} has no local form")
    own = add("local", climb("local", start))
    with torch.no_grad():
        diagonal = LocalGaussian(diagonal_of(model.encode(joint.x), stream("match")))
    ffg = add("ffg", own if isinstance(own, LocalGaussian) else climb("ffg", diagonal))
    if isinstance(own, LocalFullGaussian):
        full = add("full", own)
    else:
        full = add("full", climb("full", LocalFullGaussian(full_of(ffg()))))
    if isinstance(own, LocalCouplings):
        _restart(own, full(), joint, climb, stream)
    if flow:
        add("flow", climb("flow", local_flow(full(), stream("networks"), flow, hidden)))
    return found


def _restart(
    own: LocalCouplings,
    full: FullGaussian,
    joint: Joint,
    climb: Callable[[str, LocalPosterior], LocalPosterior],
    stream: Stream,
) -> None:
    """Let ``own`` start from the full Gaussian, too, where its networks have units enough."""
    steps, hidden = len(own.given) // 2, own.reverse.hidden
    start = couplings_of(full, stream("restart"), steps, hidden)
    if start is not None:
        keep_better(own, climb("local, from full", start), joint, partial(stream, "restart"))
