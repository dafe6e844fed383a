"""Record whole learning curves of many architectures, for replays and for fitting policies.

    python benchmarks/record_curves.py digits mnist cifar10 --data-dir data

Per dataset and group a file ``DATASET-GROUP.json.gz``: ``architectures`` holds every pair of two
encoders and five decoders, ``variants`` the five decoders behind the convolutional encoder with
other learning rates and half the width. A file is rewritten after every curve, and what it holds
already is not trained again. One thread; seconds are of the processor unless ``--clock wall``, so
that what else the machine was doing does not count.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from common import hardware, version

from vaesearch import __version__, catalogue
from vaesearch.config import default_batch_size
from vaesearch.data import ImageData, load_images
from vaesearch.errors import DivergedError
from vaesearch.evaluation import validate
from vaesearch.models.vae import count_parameters
from vaesearch.recordings import Curve, Manifest, Recording, read_recording, recording_to_bytes
from vaesearch.records import Arm, TrialSettings
from vaesearch.storage.local import write_atomically
from vaesearch.threads import threads
from vaesearch.training import new_state, train_epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--group", choices=("architectures", "variants"), default="architectures")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--train-limit", type=int, default=2500)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/curves"))
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    for dataset in options.datasets:
        record(dataset, options)


def record(dataset: str, options: argparse.Namespace) -> None:
    """Train what the file of ``dataset`` lacks, one curve after another."""
    data = load_images(
        dataset, data_dir=options.data_dir, image_size=32, pixels="8bit",
        train_limit=options.train_limit,
    )  # fmt: skip
    path = options.folder / f"{dataset}-{options.group}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    recording = read_recording(path) if path.exists() else Recording(manifest(data, options), ())
    done = {(curve.arm, curve.seed) for curve in recording.curves}
    for seed in range(options.seeds):
        for arm in arms(data, options):
            if (arm.name, seed) in done:
                continue
            curve = train(arm, seed, data, options)
            recording = replace(recording, curves=(*recording.curves, curve))
            write_atomically(path, recording_to_bytes(recording))
            best = min(curve.valid, default=float("nan"))
            spent = sum(curve.seconds)
            print(f"{dataset} {seed} {arm.name}: {best:.4f} in {spent:.0f} s", flush=True)


def manifest(data: ImageData, options: argparse.Namespace) -> Manifest:
    device = torch.cuda.get_device_name() if options.device == "cuda" else "1 thread"
    return Manifest(
        data.name,
        metric="bpd",
        direction="min",
        hardware=f"{hardware()}; {device}",
        clock=options.clock,
        data=data.describe(),
        software={"vaesearch": __version__, "torch": version("torch")},
    )


def arms(data: ImageData, options: argparse.Namespace) -> Iterator[Arm]:
    """The candidates of the group."""
    base = TrialSettings(
        decoder="",
        latent_dim=16 if data.shape[0] == 1 else 64,
        width=options.width,
        batch_size=default_batch_size(len(data.train)),
    )
    decoders = [entry.name for entry in catalogue.DECODERS[:5]]
    if options.group == "architectures":
        for encoder in ("conv", "mlp"):
            for decoder in decoders:
                yield Arm(f"{encoder}+{decoder}", replace(base, encoder=encoder, decoder=decoder))
        return
    for decoder in decoders:
        settings = replace(base, decoder=decoder)
        for rate in (3e-4, 3e-3):
            yield Arm(f"conv+{decoder}@lr={rate:g}", replace(settings, learning_rate=rate))
        yield Arm(f"conv+{decoder}@half", replace(settings, width=options.width / 2))


def train(arm: Arm, seed: int, data: ImageData, options: argparse.Namespace) -> Curve:
    """One arm to the last epoch, or until it diverges."""
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    images = {
        name: torch.tensor(np.asarray(getattr(data, name)), device=options.device)
        for name in ("train", "valid", "test")
    }
    valid: list[float] = []
    test: list[float] = []
    seconds: list[float] = []
    failed = None
    with threads(1):
        state = new_state(arm, data.shape, seed, torch.device(options.device))
        for _ in range(options.epochs):
            started = clock()
            try:
                train_epoch(state, images["train"], seed)
                score = validate(state.model, images["valid"], has_mass=True)["bpd"]
                spent = clock() - started
                held_out = validate(state.model, images["test"], has_mass=True)["bpd"]
                if not np.isfinite([score, held_out]).all():
                    raise DivergedError(f"bits/dim became {score} in epoch {state.epoch}")
            except DivergedError as error:
                failed = str(error)
                break
            valid.append(score)
            test.append(held_out)
            seconds.append(round(spent, 4))
    return Curve(
        arm.name, seed, tuple(valid), tuple(seconds), tuple(test),
        asdict(arm.settings), count_parameters(arm.settings, data.shape), failed,
    )  # fmt: skip


if __name__ == "__main__":
    main()
