"""How well curves are projected: errors, calibration, and what the Brownian misfit does for it.

    python benchmarks/projections.py --out benchmarks/results/projections.md

All arms of one recording seed have been seen for n epochs; every later epoch of 10, 20 and 40 is
predicted. With B is the model as it is used; without B is the same with the Brownian part taken
out. *density*: mean log density of what came, in nats (higher is better); *error*: mean absolute
error of the mean, bits/dim; *inside*: share of what came that fell inside the central 90 %.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from common import hardware, publish, table

from vaesearch.bandits import basis, curves
from vaesearch.bandits.normal import normal_cdf, normal_pdf
from vaesearch.recordings import Recording, read_recording

SEEN = (2, 3, 5, 8, 13, 20)
AHEAD = (10, 20, 40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=Path, default=Path(__file__).parent / "curves")
    parser.add_argument("--datasets", default="digits,mnist,cifar10")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = [f"# Projections of recorded curves\n\n{hardware('numpy')}\n"]
    parts.append("The constants were chosen on digits.\n")
    for dataset in options.datasets.split(","):
        recording = read_recording(options.curves / f"{dataset}-architectures.json.gz")
        parts.append(f"## {dataset}\n\n{section(recording)}\n")
    publish("\n".join(parts), options.out)


def section(recording: Recording) -> str:
    head = ["n", "density", "error", "inside", "density without B", "error", "inside"]
    rows = []
    for seen in SEEN:
        with_misfit = figures(recording, seen)
        with without_misfit():
            rows.append([str(seen), *with_misfit, *figures(recording, seen)])
    return table(head, rows)


@contextmanager
def without_misfit() -> Iterator[None]:
    """The model with B = 0."""
    with mock.patch.object(basis, "ROUGHNESS", 0.0), mock.patch.object(curves, "ROUGHNESS", 0.0):
        basis._tables.cache_clear()
        yield
    basis._tables.cache_clear()


def figures(recording: Recording, seen: int) -> list[str]:
    scores = np.concatenate(
        [
            predicted(np.array([recording.reward(1) * np.array(c.valid) for c in arms]), seen)
            for seed in recording.seeds
            if (arms := [c for c in recording.of_seed(seed).values() if not c.failed])
        ]
    )
    density, error, inside = scores.mean(axis=0)
    return [f"{density:.2f}", f"{error:.3f}", f"{inside:.0%}"]


def predicted(rewards: np.ndarray, seen: int) -> np.ndarray:
    """Log density, absolute error and whether inside 90 %, per arm and later epoch, (P, 3)."""
    posterior = curves.fit(curves.Curves.of(rewards[:, :seen].tolist()))
    found = []
    for epoch in (e for e in AHEAD if seen < e <= rewards.shape[1]):
        means, scales = posterior.at(np.full(len(rewards), float(epoch)))
        scales = np.sqrt(scales**2 + posterior.sigmas**2)  # what comes has noise
        truth = (rewards[:, epoch - 1] - posterior.prior.level) / posterior.prior.scale
        z = (truth[:, None] - means) / scales
        densities = np.sum(posterior.weights * normal_pdf(z) / scales, axis=1)
        below = np.sum(posterior.weights * normal_cdf(z), axis=1)
        errors = np.abs(truth - np.sum(posterior.weights * means, axis=1))
        found.append(
            np.stack(
                [
                    np.log(np.maximum(densities, 1e-300) / posterior.prior.scale),
                    errors * posterior.prior.scale,
                    (below > 0.05) & (below < 0.95),
                ],
                axis=1,
            )
        )
    return np.concatenate(found)


if __name__ == "__main__":
    main()
