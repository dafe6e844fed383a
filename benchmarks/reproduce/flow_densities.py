"""How near flows come to bent densities: what sections 4.1 and 4.2 of Kong & Li leave out.

    python benchmarks/reproduce/flow_densities.py

A diagonal Gaussian beside planar and radial flows, with IAF and RealNVP for reference, fitted to
two densities on the plane that are known.
"""

import argparse
import sys
from typing import Any

from densities import DRAWS, STEPS, TARGETS, divergence, exact, fitted
from pictures import Cloud, clouds, save
from shared import Results, markdown, parser, run

from vaesearch.seeding import torch_generator

NAME = "flow_densities"
FAMILIES = (
    "gaussian",
    *(f"{kind}:{steps}" for kind in ("planar", "radial") for steps in (2, 8, 16)),
    "iaf:4,128",
    "realnvp:6,64",
)
EXTENT = (-4.0, 4.0, -3.5, 4.5)
SEEDS = 2
FULL_SEEDS = 10


def measure(options: argparse.Namespace) -> Results:
    count = FULL_SEEDS if options.full else SEEDS
    seeds = range(options.seed, options.seed + count)
    found: Results = {}
    rows = {}
    for name, target in TARGETS.items():
        rows[name] = [Cloud("target", exact(target, EXTENT))]
        found[name] = {}
        for family in FAMILIES:
            posteriors = [fitted(family, target, seed) for seed in seeds]
            found[name][family] = [divergence(q, target) for q in posteriors]
            title = f"{words(family)}\n{found[name][family][0][0]:.2f} nats"
            rows[name].append(Cloud(title, points(posteriors[0])))
            print(f"{name}, {family}: {found[name][family]}", file=sys.stderr)
    if not options.full:
        save(clouds(rows, EXTENT), NAME)
    return {"steps": STEPS, "seeds": list(seeds), "kl and error": found}


def points(posterior: Any) -> Any:
    """Samples ``[N, 2]`` of the posterior of the one picture."""
    return posterior.rsample(torch_generator(0, "picture"), DRAWS)[:, 0].numpy()


def words(posterior: str) -> str:
    """As a table shows it: ``planar, K = 8``."""
    name, _, arguments = posterior.partition(":")
    steps = arguments.partition(",")[0]
    shown = {"gaussian": "Gaussian", "iaf": "IAF", "realnvp": "RealNVP"}.get(name, name)
    return f"{shown}, K = {steps}" if steps else shown


def tables(results: Results) -> dict[str, str]:
    """KL(q || p) by family and target, of each seed."""
    found = results["kl and error"]
    rows = [
        [words(family), *(", ".join(f"{kl:.3f}" for kl, _ in of[family]) for of in found.values())]
        for family in next(iter(found.values()))
    ]
    return {"flows: densities": markdown(["q", *found], rows)}


if __name__ == "__main__":
    run(NAME, parser(__doc__ or "").parse_args(), measure, tables)
