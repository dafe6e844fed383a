"""Table 1 of Cremer, Li & Duvenaud 2018: why inference in VAEs is not optimal.

    python benchmarks/reproduce/inference_gaps.py

A regular and a large encoder, and no annealing, each with a diagonal Gaussian (FFG) and with
RealNVP and an auxiliary variable (Flow) as posterior.
"""

import argparse
from dataclasses import asdict, dataclass

from pictures import BLUE, ORANGE, save, stacks
from published_gaps import CLAIMS, COLUMNS, FIGURES, Claim, Column, published
from shared import Results, digits, markdown, parser, run, trained
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.evaluation.estimates import mean_of
from vaesearch.evaluation.local import Settings, decompose
from vaesearch.evaluation.subject import Subject
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings

NAME = "inference_gaps"
TITLES = {"mnist": "MNIST", "fashionmnist": "Fashion-MNIST"}
COUPLINGS = 2
# The paper measures training images; ours of the test images are for one claim only.
SPLITS = {"regular": ("train", "test"), "large": ("train",), "no annealing": ("train",)}
PARTS = {"approximation": BLUE, "amortisation": ORANGE}
WORDS = {
    "log_p": "log p",
    "flow": "L[q\\*Flow]",
    "ffg": "L[q\\*FFG]",
    "elbo": "L[q]",
    "approximation": "approximation",
    "amortisation": "amortisation",
    "gap": "inference gap",
    "flexibility": "L[q\\*Flow] - L[q\\*FFG]",
}


@dataclass(frozen=True)
class Scale:
    """How much is trained and measured.

    Attributes:
        epochs: of training.
        annealing: of the entropy, in epochs at the start of training.
        latent_dim: size of z.
        hidden: units of the flow's networks, of the model and of q*.
        points: training images that are measured, and as many test images.
        samples: of every bound, and K of the importance-weighted ones.
        temperatures, chains: of annealed importance sampling.
    """

    epochs: int = 50
    annealing: int = 10
    latent_dim: int = 20
    hidden: int = 50
    points: int = 100
    samples: int = 1000
    temperatures: int = 100
    chains: int = 4


FULL = Scale(3280, 400, 50, 200, 1000, 5000, 10_000, 100)
Bounds = dict[str, Tensor]


def measure(options: argparse.Namespace) -> Results:
    scale = FULL if options.full else Scale()
    found: Results = {}
    for name in TITLES:
        if name == "mnist" or (options.data_dir / f"{name}.npz").is_file():
            data = digits(options.data_dir, full=options.full, binary=True, name=name)
            found[name] = on(data, scale, options)
    return {"settings": asdict(scale) | {"seed": options.seed}, "datasets": found}


def on(data: ImageData, scale: Scale, options: argparse.Namespace) -> Results:
    """All columns of the table on one data set, and what the paper says of them."""
    found: dict[Column, dict[str, Bounds]] = {}
    for column in COLUMNS:
        settings = _settings(column, scale)
        model = trained(settings, data, scale.epochs, seed=options.seed, device=options.device)
        found[column] = {
            split: bounds(model, data, split, scale, options.seed) for split in SPLITS[column[0]]
        }
    columns = [
        {"encoder": column[0], "posterior": column[1]}
        | {split: _estimates(values) for split, values in found[column].items()}
        for column in COLUMNS
    ]
    return {"columns": columns, "claims": [_held(claim, found) for claim in CLAIMS]}


def _settings(column: Column, scale: Scale) -> TrialSettings:
    encoder, posterior = column
    return TrialSettings(
        "networks:Decoder",
        encoder=f"networks:Encoder:size={500 if encoder == 'large' else 200}",
        posterior="gaussian" if posterior == "FFG" else f"realnvp:{COUPLINGS},{scale.hidden}",
        likelihood="bernoulli",
        annealing="none" if encoder == "no annealing" else f"entropy:{scale.annealing}",
        latent_dim=scale.latent_dim,
        batch_size=100,
    )


def bounds(model: VAE, data: ImageData, split: str, scale: Scale, seed: int) -> Bounds:
    """The figures of the table for each of the first images of a split, ``[N]``.

    Of test images only those that need no log p and no flow from another start.
    """
    is_train = split == "train"
    subject = Subject(model, data, split=split, limit=scale.points, seed=seed)
    found = decompose(
        subject,
        Settings(
            images=scale.points,
            samples=scale.samples,
            flow=COUPLINGS if is_train else 0,
            hidden=scale.hidden,
            temperatures=scale.temperatures if is_train else 0,
            chains=scale.chains,
        ),
    )
    is_flow = model.settings.posterior != "gaussian"
    if not is_train:
        best = found.elbo["local"]
        return {"elbo": found.elbo["q"], "amortisation": best - found.elbo["q"]}
    return figures(found.elbo, found.parts()["log_p"], is_flow=is_flow)


def figures(elbo: Bounds, log_p: Tensor, *, is_flow: bool) -> Bounds:
    """The rows of the table from bounds ``[N]`` of the encoder's q and of optimised ones.

    A flow is optimised from two starts, a Gaussian and, where the model has one, the encoder's
    flow; the better one is q*.
    """
    starts = [elbo["flow"], elbo["local"]] if is_flow else [elbo["flow"]]
    flow = max(starts, key=lambda values: values.mean().item())
    best, own = flow if is_flow else elbo["ffg"], elbo["q"]
    return {
        "log_p": log_p,
        "flow": flow,
        "ffg": elbo["ffg"],
        "elbo": own,
        "approximation": log_p - best,
        "amortisation": best - own,
        "gap": log_p - own,
        "flexibility": flow - elbo["ffg"],
    }


def _estimates(values: Bounds) -> Results:
    return {name: asdict(mean_of(each)) for name, each in values.items()}


def _held(claim: Claim, found: dict[Column, dict[str, Bounds]]) -> Results:
    """The difference that a claim is about; the points are the same, so it is taken for each."""
    larger, smaller = (
        found[side.column]["train"][side.figure] for side in (claim.larger, claim.smaller)
    )
    return {"claim": claim.words} | asdict(mean_of(larger - smaller))


def tables(results: Results) -> dict[str, str]:
    """For each data set table 1, our figures at test points, and what the paper says of it."""
    made = {}
    for name, found in results["datasets"].items():
        made |= {
            f"inference gaps: {name}": _table(name, found["columns"]),
            f"inference gaps: {name}, claims": _of_claims(name, found["claims"]),
        }
    return made


def _table(name: str, columns: list[Results]) -> str:
    """Two lines for each column of the paper's table: ours and the paper's."""
    head = ["encoder", "posterior", "", *WORDS.values(), "amortisation, test"]
    rows = []
    for column in columns:
        place = column["encoder"], column["posterior"]
        ours = [_with_error(column["train"][figure]) for figure in FIGURES]
        theirs = [f"{published(name)[place][figure]:.2f}" for figure in FIGURES]
        test = _with_error(column["test"]["amortisation"]) if "test" in column else ""
        rows.append([*place, "ours", *ours, test])
        rows.append(["", "", "paper", *theirs, ""])
    return markdown(head, rows)


def _with_error(estimate: Results) -> str:
    return f"{estimate['value']:.2f} ± {estimate['error']:.2f}"


def _of_claims(name: str, found: list[Results]) -> str:
    """The paper's difference, ours with its error, and whether they have one sign."""
    rows = []
    for claim, ours in zip(CLAIMS, found, strict=True):
        larger, smaller = (
            published(name)[side.column][side.figure] for side in (claim.larger, claim.smaller)
        )
        paper, own = larger - smaller, f"{ours['value']:+.2f} ± {ours['error']:.2f}"
        rows.append([claim.words, f"{paper:+.2f}", own, verdict(paper, ours)])
    return markdown(["the paper finds", "paper, nats", "ours, nats", "same"], rows)


def verdict(paper: float, ours: Results) -> str:
    if abs(ours["value"]) < 2 * ours["error"]:
        return "within error of 0"
    return "yes" if paper * ours["value"] > 0 else "no"


def draw(results: Results) -> None:
    """A picture of the gaps, ours and the paper's."""
    for name, found in results["datasets"].items():
        ours = {
            (column["encoder"], column["posterior"]): {
                part: column["train"][part]["value"] for part in PARTS
            }
            for column in found["columns"]
        }
        panels = {
            f"{who}, {TITLES[name]}": [(_label(column), gaps[column]) for column in COLUMNS]
            for who, gaps in (("ours", ours), ("paper", published(name)))
        }
        save(stacks(panels, PARTS), f"inference_gaps_{name}")


def _label(column: Column) -> str:
    return "\n".join(column).replace("annealing", "ann.")


if __name__ == "__main__":
    run(NAME, parser(__doc__ or "").parse_args(), measure, tables, draw)
