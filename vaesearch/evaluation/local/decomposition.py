"""log p(x) - L[q] of each image, in parts (Cremer, Li & Duvenaud 2018)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.evaluation.ais import annealed_importance, path_of_temperatures
from vaesearch.evaluation.chunks import usual_chunk
from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local.optima import Stream, optima
from vaesearch.evaluation.local.search import log_weights
from vaesearch.evaluation.subject import Progress, Subject, part_of, silent
from vaesearch.objectives.importance import log_mean_exp

# Images that share a stream of noise, and rates that fall together. It is no matter of memory:
# decoding goes in chunks of its own.
BLOCK = 50
# Of the time, roughly.
ASCENTS, BOUNDS = 0.5, 0.2


@dataclass(frozen=True)
class Settings:
    """What a decomposition takes.

    Attributes:
        images: the first so many.
        samples: of each posterior, for its bound and its importance-weighted bound.
        flow: couplings of the local flow; 0 for no such flow.
        hidden: units of its networks.
        temperatures: of annealed importance sampling; 0 for none.
        chains: of it, for each image.
        steps: of an ascent, at most.

    Raises:
        InputError: one is out of range.
    """

    images: int = 100
    samples: int = 1000
    flow: int = 2
    hidden: int = 50
    temperatures: int = 200
    chains: int = 8
    steps: int = 3000

    def __post_init__(self) -> None:
        whole("the images of gap", self.images, least=2)
        whole("the samples of gap", self.samples)
        whole("the couplings of gap's flow", self.flow, least=0)
        whole("the hidden units of gap's flow", self.hidden)
        whole("the chains of gap", self.chains)
        whole("the steps of gap", self.steps)
        if self.temperatures != 0:
            path_of_temperatures(self.temperatures)


@dataclass(frozen=True)
class Decomposition:
    """Bounds of N images in nats, ``[N]`` each, by the name of the posterior.

    The names are ``q`` for the encoder's, and for what is optimised for each image ``local`` (of
    the model's own family), ``ffg`` (a diagonal Gaussian), ``full`` (one with correlations) and
    ``flow``.

    Attributes:
        elbo: E_q[log p(x, z) - log q(z|x)].
        iwae: the importance-weighted bound, of as many samples.
        ais: log p(x) by annealed importance sampling; empty without.
        steps: that each ascent took, for each block of images.
    """

    elbo: dict[str, Tensor]
    iwae: dict[str, Tensor]
    ais: Tensor
    steps: dict[str, list[int]]

    @property
    def source(self) -> str:
        """Which estimate of log p(x) is best: ``ais``, or ``iwae_`` and a posterior's name.

        All are low in expectation, so the one with the highest mean over the images is nearest.
        The highest for each image would be too high: each is noisy, and what happens to be high
        would be picked.
        """
        means = {f"iwae_{name}": values.mean().item() for name, values in self.iwae.items()}
        if len(self.ais):
            means["ais"] = self.ais.mean().item()
        return max(means, key=lambda name: means[name])

    def parts(self) -> dict[str, Tensor]:
        """The inference gap of each image and its parts, ``[N]`` each.

        ``log_p``, ``gap`` = log p - L[q], ``approximation`` = log p - L[q*] and ``amortisation``
        = L[q*] - L[q] with q* of the model's own family; ``flexibility`` = L[flow*] - L[FFG*],
        where there is a flow: how far the posteriors are from diagonal Gaussians.
        """
        source = self.source
        log_p = self.ais if source == "ais" else self.iwae[source.removeprefix("iwae_")]
        best, own = self.elbo["local"], self.elbo["q"]
        parts = {
            "log_p": log_p,
            "gap": log_p - own,
            "approximation": log_p - best,
            "amortisation": best - own,
        }
        if "flow" in self.elbo:
            parts["flexibility"] = self.elbo["flow"] - self.elbo["ffg"]
        return parts


def decompose(subject: Subject, settings: Settings, progress: Progress = silent) -> Decomposition:
    """Measure the first images of ``subject``: as many as asked for, or all there are.

    Posteriors are optimised for ``BLOCK`` images at a time. Their bounds are taken at samples of
    their own, made of the same noise for all posteriors, so that differences are sure.

    Raises:
        ValueError: the model's posterior has no local form.
    """
    x = subject.images[: settings.images].float().div(255)
    blocks = []
    for nth, block in enumerate(torch.split(x, BLOCK)):
        told = part_of(progress, nth * BLOCK / len(x), len(block) / len(x))
        blocks.append(_of_block(subject, nth, block, settings, told))
    names = blocks[0].elbo
    return Decomposition(
        {name: torch.cat([block.elbo[name] for block in blocks]) for name in names},
        {name: torch.cat([block.iwae[name] for block in blocks]) for name in names},
        torch.cat([block.ais for block in blocks]),
        {
            name: [step for block in blocks for step in block.steps[name]]
            for name in blocks[0].steps
        },
    )


def _of_block(
    subject: Subject, nth: int, x: Tensor, settings: Settings, progress: Progress
) -> Decomposition:
    # Ascents and chains go on from what they have found, so that rounding errors grow there. They
    # decode in chunks of one size, which is halved where memory is short, whatever was asked for.
    model, chunk = subject.model, usual_chunk(x[0].numel(), x.device)
    joint = Joint(model, x, chunk=chunk)
    scored = Joint(model, x, chunk=subject.chunk or chunk)

    def stream(*path: str) -> torch.Generator:
        return subject.generator("gap", nth, *path)

    found = optima(
        model,
        joint,
        stream,
        flow=settings.flow,
        hidden=settings.hidden,
        most=settings.steps,
        progress=part_of(progress, 0, ASCENTS),
    )
    with torch.no_grad():
        posteriors = {"q": model.encode(x)} | {name: best() for name, best in found.best.items()}
    elbo: dict[str, Tensor] = {}
    iwae: dict[str, Tensor] = {}
    for done, (name, q) in enumerate(posteriors.items()):
        weights = log_weights(q, scored, stream("bounds"), settings.samples).double()
        elbo[name], iwae[name] = weights.mean(dim=0), log_mean_exp(weights)
        progress(ASCENTS + BOUNDS * (done + 1) / len(posteriors))
    steps = {name: [course.steps] for name, course in found.courses.items()}
    annealed = _annealed(joint, stream, settings, part_of(progress, ASCENTS + BOUNDS, 0.3))
    return Decomposition(elbo, iwae, annealed, steps)


def _annealed(joint: Joint, stream: Stream, settings: Settings, progress: Progress) -> Tensor:
    if not settings.temperatures:
        return joint.x.new_zeros(0, dtype=torch.float64)
    return annealed_importance(
        joint,
        stream("ais"),
        chains=settings.chains,
        temperatures=settings.temperatures,
        progress=progress,
    ).log_p.double()
