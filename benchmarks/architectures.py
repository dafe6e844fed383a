"""How well each decoder does after ten epochs on the same digits: bits/dim on test images.

Run it with ``python benchmarks/architectures.py --out benchmarks/results/architectures.md``.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import torch
from common import hardware, publish, table
from digits import find_digits, load_digits

from vaesearch import catalogue
from vaesearch.data.resizing import resize
from vaesearch.evaluation import validate
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import new_state, train_epoch

SHAPE = (1, 32, 32)
SHOWN = (1, 5, 10)  # epochs
LADDER = {"posterior": "ladder:3", "prior": "ladder:3"}


def main() -> None:
    options = _parser().parse_args()
    if find_digits() is None:
        sys.exit("no mnist.npz; set VAESEARCH_TEST_DATA to a folder with it")
    models = {e.name: TrialSettings(e.name) for e in catalogue.DECODERS}
    models["ladder, posterior and prior too"] = TrialSettings("ladder:3", **LADDER)
    chosen = [name for name in models if options.only in name]
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        curves = pool.map(_curve, [models[n] for n in chosen], repeat(options.width))
        rows = sorted(zip(chosen, curves, strict=True), key=lambda row: row[1][-1])
    heading = ["Decoder", *(f"Bits/dim after {n}" for n in SHOWN)]
    page = (
        f"# Decoders on the same digits\n\n{hardware()}, one thread each. 8,000 images of MNIST "
    )
    page += "at 32x32 to train on, 2,000 to test; encoder conv, width "
    page += f"{options.width:g}, z=16, batches of 128, seed 0; epochs.\n\n"
    cells = [[f"`{name}`", *(f"{bits:.3f}" for bits in curve)] for name, curve in rows]
    publish(page + table(heading, cells), options.out)


def _curve(chosen: TrialSettings, width: float) -> list[float]:
    """Bits/dim on test images after each of the epochs ``SHOWN``."""
    torch.set_num_threads(1)
    train, test = (torch.tensor(resize(x.numpy(), SHAPE[1])) for x in load_digits(find_digits()))
    settings = replace(chosen, latent_dim=16, width=width)
    state = new_state(Arm("a", settings), SHAPE, 0, torch.device("cpu"))
    curve = []
    for epoch in range(1, max(SHOWN) + 1):
        train_epoch(state, train, 0)
        if epoch in SHOWN:
            curve.append(validate(state.model, test, has_mass=True)["bpd"])
    print(chosen.decoder, curve, flush=True)
    return curve


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="decoders whose name holds this")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
