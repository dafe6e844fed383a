"""The variants that pythae has too: bounds and speed of both on one small task, side by side.

    python benchmarks/pythae_variants.py --out benchmarks/results/pythae_variants.md

Both train the same networks from the same initial weights on the same binarised digits, and are
scored by one evaluator (benchmarks/vaes/scores.py).
"""

import argparse
import sys
from pathlib import Path

import torch
from common import publish
from digits import find_digits
from vaes.page import Found, page
from vaes.side_by_side import CLOCKS, Kept, Variant

from vaesearch.errors import InputError

BETA = 4
# pythae's sums seven kernels by default; ours has the one of Tolstikhin et al. 2018.
ONE_KERNEL = {"scales": [1.0]}


_IAF = {"n_made_blocks": 2, "n_hidden_in_made": 2, "hidden_size": 128}
VARIANTS = (
    Variant("VAE", {}, "VAE"),
    Variant(f"beta-VAE, {BETA}", {"beta": BETA}, "BetaVAE", {"beta": BETA}),
    Variant("IWAE, 5 samples", {"bound": "iwae:5"}, "IWAE", {"number_samples": 5}),
    Variant("planar flow, 4", {"posterior": "planar:4"}, "VAE_LinNF", {"flows": ["Planar"] * 4}),
    Variant("radial flow, 4", {"posterior": "radial:4"}, "VAE_LinNF", {"flows": ["Radial"] * 4}),
    Variant("IAF, 2", {"posterior": "iaf:2"}, "VAE_IAF", _IAF),
    # pythae's has one map for all images.
    Variant("IAF, 2, without context", {"posterior": "iaf:2,context=0"}, "VAE_IAF", _IAF),
    Variant("VampPrior, 100", {"prior": "vampprior:100"}, "VAMP", {"number_components": 100}),
    Variant(
        "InfoVAE, lambda 10, alpha 0.5",
        {"regularizer": "infovae:10,0.5"},
        "INFOVAE_MMD",
        {"lbd": 10, "alpha": 0.5, **ONE_KERNEL},
    ),
    # A variance of one half is the squared error itself.
    Variant(
        "WAE-MMD, weight 100",
        {"likelihood": "gaussian:0.5", "regularizer": "mmd:100"},
        "WAE_MMD",
        {"reg_weight": 100, **ONE_KERNEL},
        has_bound=False,
    ),
)


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(1)
    if find_digits() is None:
        sys.exit("no mnist.npz; set VAESEARCH_TEST_DATA to a folder with it")
    found: Found = {}
    missing: dict[Variant, str] = {}
    kept = Kept(options.keep)
    # Seed by seed, so that a run that is stopped has compared all variants alike.
    for seed in range(options.seeds):
        for variant in (v for v in VARIANTS if options.only in v.name and v not in missing):
            try:
                outcome = kept.run(variant, seed, options)
            except InputError as error:
                missing[variant] = f"Not compared: {variant.name}: {error}"
                continue
            found.setdefault(variant, []).append(outcome)
            print(variant.name, seed, outcome.scores or outcome.codes, flush=True)
    publish(page(found, list(missing.values()), options), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8000, help="to train on, 8000 at most")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=100, help="of z per test image")
    parser.add_argument("--rounds", type=int, default=4, help="epochs of their own trainers")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: where other programs are running"
    )
    parser.add_argument("--only", default="", help="variants whose name holds this")
    parser.add_argument("--keep", type=Path, help="file of outcomes, to go on with")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
