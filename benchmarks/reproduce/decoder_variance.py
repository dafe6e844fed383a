"""The tables and figures of Lin, Roberts, Trigoni & Clark 2019, on digits.

    python benchmarks/reproduce/decoder_variance.py

A VAE whose Gaussian likelihood has a fixed, a learned, or a predicted variance; samples of its
prior beside those of a mixture fitted to the aggregate posterior; DIP-VAE and WAE beside.
"""

import argparse
import sys
from dataclasses import asdict, dataclass
from typing import Any

import torch
import variance_page
from pictures import Cloud, clouds, save
from shared import Results, digits, parser, run, trained
from torch import Tensor

from vaesearch.evaluation.estimates import mean_of
from vaesearch.evaluation.extractors import Extractor, make_extractor
from vaesearch.evaluation.frechet import frechet_estimate
from vaesearch.evaluation.importance import iwae_under
from vaesearch.evaluation.metrics.aggregate import Aggregate
from vaesearch.evaluation.metrics.fidelity import FID
from vaesearch.evaluation.subject import BATCH, Subject, silent
from vaesearch.models.priors import StandardNormal
from vaesearch.objectives import elbo_terms
from vaesearch.records import TrialSettings
from vaesearch.seeding import torch_generator

NAME = "decoder_variance"
PLANE, DEEP = 2, 16  # latents: of table 1, of table 3
COMPONENTS = 32
ON_PLANE = ("1", "0.5", "learned", "0.01")
VARIANCES = ("1", "0.5", "0.2", "0.1", "0.03", "learned", "0.01", "0.003")
SHOWN = ("0.5", "learned", "0.003")
PICTURES = 10  # of a row of samples
EXTENT = (-5.5, 5.5, -5.5, 5.5)
CLOUD = 40_000


@dataclass(frozen=True)
class Scale:
    """How much is trained and measured.

    Attributes:
        epochs: of training.
        first: of them, with one variance for all pixels, where each has its own in the end.
        samples: of pictures, for FID.
        images: the first test images, for the importance-weighted bound.
        weights: K of it.
        mixtures: numbers of components of table 4.
    """

    epochs: int = 25
    first: int = 15
    samples: int = 10_000
    images: int = 500
    weights: int = 20
    mixtures: tuple[int, ...] = (1, 10, 32, 60, 125)


FULL = Scale(epochs=60, first=30, mixtures=(1, 10, 32, 100, 300, 900))


def measure(options: argparse.Namespace) -> Results:
    scale = FULL if options.full else Scale()
    data = digits(options.data_dir, full=options.full)
    extractor = make_extractor("labels", data)

    def subject(likelihood: str, latent_dim: int = DEEP, regularizer: str = "kl") -> Subject:
        model = trained(
            _settings(likelihood, latent_dim, regularizer),
            data,
            scale.epochs,
            seed=options.seed,
            device=options.device,
        )
        return Subject(model, data, seed=options.seed)

    plane = {v: subject(f"gaussian:{v}", PLANE) for v in ON_PLANE}
    sweep = {v: subject(f"gaussian:{v}") for v in VARIANCES}
    methods = {
        "dataset": sweep["learned"],
        "pixel": subject(f"gaussian:pixel,first={scale.first}"),
        "vae": sweep["0.5"],
        "beta": sweep["1"],
        "dip": subject("gaussian:0.5", regularizer="dip-i:10,100"),
        "wae": subject("gaussian:0.5", regularizer="mmd:10"),
    }
    save(clouds(_clouds(plane), EXTENT), "aggregate_posteriors")
    save(variance_page.grid(_samples(sweep)), "variance_samples")
    fids = {s: fid(s, scale) for s in dict.fromkeys((*sweep.values(), *methods.values()))}
    return {
        "settings": asdict(scale) | {"seed": options.seed, "components": COMPONENTS},
        "extractor": {"digest": extractor.digest, **extractor.facts},
        "plane": {v: on_plane(s) for v, s in plane.items()},
        "sweep": {v: on_plane(s) | behind(s, sweep) | fids[s] for v, s in sweep.items()},
        "methods": {name: table_3(s, scale) | fids[s] for name, s in methods.items()},
        "mixtures": table_4(sweep["learned"], extractor, scale),
    }


def _settings(likelihood: str, latent_dim: int, regularizer: str) -> TrialSettings:
    return TrialSettings(
        "networks:Decoder:size=256,activation=ReLU",
        encoder="networks:Encoder:size=256,activation=ReLU",
        likelihood=likelihood,
        regularizer=regularizer,
        latent_dim=latent_dim,
        batch_size=100,
    )


def on_plane(subject: Subject) -> Results:
    """The bound, the variance, and how far the aggregate posterior is from the prior."""
    aggregate = Aggregate(COMPONENTS).measure(subject, silent)
    return {
        "variance": variance_of(subject),
        "elbo": asdict(mean_of(elbos(subject))),
        "aggregate_kl": asdict(aggregate.figures["aggregate_kl"]),
        "runs": aggregate.details["runs"],
    }


def behind(subject: Subject, sweep: dict[str, Subject]) -> Results:
    """How much higher the bound is with the learned variance, image by image."""
    return {"behind": asdict(mean_of(elbos(sweep["learned"]) - elbos(subject)))}


@torch.no_grad()
def elbos(subject: Subject) -> Tensor:
    """The bound of each test image, ``[N]``, at one sample."""
    generator = subject.generator("elbos")
    return torch.cat([elbo_terms(subject.model, x, generator).elbo for x in subject.batches()])


def variance_of(subject: Subject) -> float:
    """The one for all pixels; where each has its own, that of the first stage."""
    return float(subject.model.likelihood.log_variance.exp())


def fid(subject: Subject, scale: Scale) -> Results:
    """Distances of samples and reconstructions from the test images."""
    metric = FID(scale.samples, COMPONENTS)
    metric.check(subject)
    found = metric.measure(subject, silent)
    print(f"{variance_of(subject):.4f}: {found.figures}", file=sys.stderr)
    bias = found.details["bias"]
    return {n: asdict(figure) | {"bias": bias[n]} for n, figure in found.figures.items()}


def table_3(subject: Subject, scale: Scale) -> Results:
    """The importance-weighted bound with N(0, I) and with the mixture as p(z)."""
    x = subject.images[: scale.images].float().div(255)
    priors = [None, subject.mixture(COMPONENTS)]
    bounds = iwae_under(subject.model, x, subject.generator("table 3"), scale.weights, priors)
    plain, under = bounds.double()
    return {
        "variance": variance_of(subject),
        "iwae_prior": asdict(mean_of(plain)),
        "iwae_gmm": asdict(mean_of(under)),
        "iwae_gain": asdict(mean_of(under - plain)),
        "elbo": asdict(mean_of(elbos(subject))),
    }


@torch.no_grad()
def table_4(subject: Subject, extractor: Extractor, scale: Scale) -> Results:
    """FID by the number of Gaussians, and of decoded codes of training images."""
    reference = _features(subject.images / 255, extractor)

    def distance(z: Tensor) -> dict[str, Any]:
        made = torch.cat([subject.model.decode(part).mean for part in z.split(BATCH)])
        return asdict(frechet_estimate(_features(made, extractor), reference).distance)

    found = []
    for count in scale.mixtures:
        mixture = subject.mixture(count)
        z = mixture.sample(scale.samples, subject.generator("table 4"))
        found.append({"components": len(mixture.means), "fid": distance(z)})
    return {
        "images": len(subject.train),
        "fitted": found,
        "codes": distance(codes(subject, scale.samples)),
    }


def _features(pictures: Tensor, extractor: Extractor) -> Tensor:
    return torch.cat([extractor(part) for part in pictures.split(BATCH)])


@torch.no_grad()
def codes(subject: Subject, count: int) -> Tensor:
    """Samples of q(z|x) of training images, each image as often as the others, ``[count, D]``."""
    generator = subject.generator("codes")
    repeated = subject.train.repeat(-(-count // len(subject.train)), 1, 1, 1)[:count]
    return torch.cat(
        [subject.model.encode(x / 255).rsample(generator) for x in repeated.split(BATCH)]
    )


def _clouds(plane: dict[str, Subject]) -> dict[str, list[Cloud]]:
    """Samples of the aggregate posterior and of its mixture, for each variance."""
    rows: dict[str, list[Cloud]] = {"of codes": [], "mixture": []}
    for variance, subject in plane.items():
        mixture = subject.mixture(COMPONENTS).sample(CLOUD, subject.generator("cloud"))
        title = variance_page.variance_words(variance, variance_of(subject))
        rows["of codes"].append(Cloud(title, codes(subject, CLOUD).cpu().numpy()))
        rows["mixture"].append(Cloud(title, mixture.cpu().numpy()))
    for row in rows.values():
        points = StandardNormal(PLANE).sample(CLOUD, torch_generator(0, "cloud"))
        row.append(Cloud("prior", points.numpy()))
    return rows


@torch.no_grad()
def _samples(sweep: dict[str, Subject]) -> dict[str, Tensor]:
    """Rows of pictures ``[N, H, W]``: of the mixture and of the prior for each variance shown."""
    rows = {}
    for variance in SHOWN:
        subject = sweep[variance]
        words = variance_page.variance_words(variance, variance_of(subject))
        priors = {"mixture": subject.mixture(COMPONENTS), "prior": subject.model.latent_prior()}
        for name, prior in priors.items():
            z = prior.sample(PICTURES, subject.generator("pictures"))
            rows[f"{words}\n{name}"] = subject.model.decode(z).mean[:, 0]
    return rows


def tables(results: Results) -> dict[str, str]:
    """All tables of the section, by their places in the page."""
    return variance_page.places(results)


if __name__ == "__main__":
    run(NAME, parser(__doc__.splitlines()[0]).parse_args(), measure, tables, variance_page.draw)
