"""Liu, Lin & Clark 2020: codes that drift when a reconstruction is encoded again.

Their figures 2 and 3, the threefold reduction of KL(z'||z), and what it costs in nats of the ELBO.
They give neither networks nor epochs nor the weight alpha: here two dense layers of 256 with ReLU
on either side, the cross-entropy on grey values, Adam at 1e-3, batches of 100, 20 epochs, and
several alpha.
"""

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import torch
from consistency_page import PAIRS, claims, draw, figures
from shared import Results, digits, parser, run
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.evaluation.drift import drift
from vaesearch.models.latents import kl_divergence
from vaesearch.models.vae import VAE
from vaesearch.objectives import elbo_terms
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import torch_generator
from vaesearch.threads import threads
from vaesearch.training import TrialState, new_state, shuffled_batches, train_epoch

NAME = "consistency"
SMALL_EPOCHS, FULL_EPOCHS = 20, 100
SEEDS = 2
ALPHAS = {2: (0.0, 0.1, 1.0, 10.0), 10: (0.0, 1.0, 10.0)}  # by the number of latents
SHOWN = 600  # codes of figure 2
ARROWS = 60
OTHER = "fashionmnist"
BATCH = 500


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        latent_dim: of z.
        alpha: weight of the consistency term.
        seed: of weights, order of images and noise.
        is_reversed: with KL(z||z') in place of KL(z'||z).
        activation: of the networks.
    """

    latent_dim: int
    alpha: float
    seed: int
    is_reversed: bool = False
    activation: str = "ReLU"

    @property
    def settings(self) -> TrialSettings:
        """As the arm of a search."""
        layers = f"size=256,activation={self.activation}"
        return TrialSettings(
            f"networks:Decoder:{layers}", encoder=f"networks:Encoder:{layers}",
            likelihood="relaxed-bernoulli", latent_dim=self.latent_dim, batch_size=100,
            alpha=0.0 if self.is_reversed else self.alpha,
        )  # fmt: skip


@dataclass(frozen=True)
class PerImage:
    """Figures in nats, one for each test image, ``[N]``.

    Attributes:
        sampled: KL(z'||z) of the reconstruction from a sampled code, as in training.
        central: likewise from the mean code.
        elbo: at the same sampled code.
    """

    sampled: Tensor
    central: Tensor
    elbo: Tensor


def measure(options: argparse.Namespace) -> Results:
    """Train every case; keep what the tables and pictures are made of."""
    data = digits(options.data_dir, full=options.full)
    seeds = range(options.seed, options.seed + SEEDS)
    cases = [Case(z, a, seed) for z, alphas in ALPHAS.items() for a in alphas for seed in seeds]
    cases += [Case(2, 1.0, seed, is_reversed=True) for seed in seeds]
    cases += [Case(2, a, seed, activation="ELU") for a in (0.0, 1.0) for seed in seeds]
    results: Results = {"seeds": list(seeds), "mnist": _measure(data, cases, options)}
    if (options.data_dir / f"{OTHER}.npz").is_file():
        other = digits(options.data_dir, full=options.full, name=OTHER)
        plane = [Case(2, alpha, seed) for alpha in (0.0, 1.0) for seed in seeds]
        results[OTHER] = _measure(other, plane, options)
    return results


def _measure(
    data: ImageData, cases: list[Case], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """A row for each case, beside the same networks, latents and seed with alpha 0."""
    plain: dict[tuple[str, int, int], PerImage] = {}
    rows = []
    for case in cases:
        model, curve = _trained(case, data, options)
        found = per_image(model, _resident(data.test, options))
        base = plain.setdefault((case.activation, case.latent_dim, case.seed), found)
        row = {
            "latents": case.latent_dim, "alpha": case.alpha, "seed": case.seed,
            "reversed": case.is_reversed, "activation": case.activation, "curve": curve,
            **_summary(found, base),
        }  # fmt: skip
        if case == Case(2, case.alpha, options.seed) and case.alpha in (0, 1):
            row["picture"] = _picture(model, data, options)
        words = f"{case}: KL {row['sampled'][0]:.2f}, ELBO {row['elbo'][0]:.1f}"
        print(words, file=sys.stderr)
        rows.append(row)
    return rows


def _trained(
    case: Case, data: ImageData, options: argparse.Namespace
) -> tuple[VAE, list[list[float]]]:
    """A model, and KL(z'||z) of test images with its error before and after each epoch."""
    device = torch.device(options.device)
    state = new_state(Arm("reproduction", case.settings), data.shape, case.seed, device)
    images, test = _resident(data.train, options), _resident(data.test, options)
    curve = [_mean(per_image(state.model, test).sampled)]
    with threads(1):
        for _ in range(FULL_EPOCHS if options.full else SMALL_EPOCHS):
            if case.is_reversed:
                _train_reversed(state, images, case)
            else:
                train_epoch(state, images, case.seed)
            curve.append(_mean(per_image(state.model, test).sampled))
    return state.model.eval(), curve


def _train_reversed(state: TrialState, images: Tensor, case: Case) -> None:
    """An epoch with alpha KL(z||z'): same order of images, same noise, the other direction."""
    state.epoch += 1
    generator = torch_generator(case.seed, state.arm.name, state.epoch, device=images.device)
    state.model.train()
    for x in shuffled_batches(images, case.settings.batch_size, generator):
        state.optimizer.zero_grad(set_to_none=True)
        terms = elbo_terms(state.model, x, generator)
        made = state.model.encode_made(terms.pixels.mean)
        backward = kl_divergence(terms.posterior, made)
        (case.alpha * backward - terms.elbo).mean().backward()
        state.optimizer.step()


@torch.no_grad()
def per_image(model: VAE, images: Tensor) -> PerImage:
    """Figures of images, uint8 ``[N, C, H, W]``; the noise is the same for every model."""
    model.eval()
    generator = torch_generator(0, "consistency", device=images.device)
    parts = []
    for start in range(0, len(images), BATCH):
        x = images[start : start + BATCH].float().div(255)
        terms = elbo_terms(model, x, generator)
        sampled = kl_divergence(model.encode_made(terms.pixels.mean), terms.posterior)
        made = model.encode_made(model.decode(terms.posterior.mean).mean)
        parts.append((sampled, kl_divergence(made, terms.posterior), terms.elbo))
    return PerImage(*(torch.cat(part).double().cpu() for part in zip(*parts, strict=True)))


def _summary(found: PerImage, base: PerImage) -> dict[str, list[float]]:
    """Means with errors; how much smaller the KL is than that of ``base``, and the ELBO lost."""
    return {
        "sampled": _mean(found.sampled),
        "central": _mean(found.central),
        "elbo": _mean(found.elbo),
        "ratio": ratio(base.sampled, found.sampled),
        "ratio_central": ratio(base.central, found.central),
        "cost": _mean(base.elbo - found.elbo),
    }


def _mean(values: Tensor) -> list[float]:
    return [values.mean().item(), values.std().item() / len(values) ** 0.5]


def ratio(above: Tensor, below: Tensor) -> list[float]:
    """Ratio of the means of values ``[N]`` of the same images, and its error to first order."""
    found = above.mean() / below.mean()
    spread = (above - found * below).std() / below.mean() / len(above) ** 0.5
    return [found.item(), spread.item()]


def _picture(model: VAE, data: ImageData, options: argparse.Namespace) -> dict[str, Any]:
    """What figure 2 shows: codes with classes, arrows, and digits of different classes."""
    labels = data.labels.test if data.labels else torch.zeros(len(data.test), dtype=int).numpy()
    firsts = sorted({int(c): i for i, c in reversed(list(enumerate(labels)))}.values())[:PAIRS]
    test = _resident(data.test, options)
    moved = drift(model, test[:SHOWN].float().div(255))
    pairs = drift(model, test[firsts].float().div(255))
    made = model.decode(pairs.codes[0]).mean
    assert pairs.covariances is not None
    assert pairs.divergences is not None
    return {
        "labels": labels[:SHOWN].tolist(),
        "codes": _short(moved.codes[0]),
        "arrows": _short(moved.codes[:, :ARROWS]),
        "pairs": _short(pairs.codes),
        "covariances": _short(pairs.covariances, 5),
        "divergences": _short(pairs.divergences[0]),
        "images": data.test[firsts, 0].tolist(),
        "reconstructions": made[:, 0].mul(255).round().int().tolist(),
    }


def _short(values: Tensor, digits_kept: int = 3) -> Any:
    return values.double().cpu().numpy().round(digits_kept).tolist()


def _resident(images: Any, options: argparse.Namespace) -> Tensor:
    return torch.tensor(images, device=options.device)


def tables(results: Results) -> dict[str, str]:
    """Markdown by the name of its place."""
    return {"consistency: claims": claims(results), "consistency: figures": figures(results)}


if __name__ == "__main__":
    run(NAME, parser(__doc__).parse_args(), measure, tables, draw)
