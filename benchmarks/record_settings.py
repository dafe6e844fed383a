"""Record learning curves of many hyperparameter settings, for searches whose arms never end.

    python benchmarks/record_settings.py digits --image-size 8 --width 0.2 --settings 250
    python benchmarks/record_settings.py mnist --image-size 16 --width 0.1 --settings 150 \
        --train-limit 1000 --data-dir data

Settings are drawn at random: latent size, alpha, learning rate and batch size as in the space
that is shipped for digits, and the width. Per decoder the same number of settings; the file
``DATASET-settings.json.gz`` is rewritten as it grows, and what it holds is not trained again.
"""

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from record_curves import manifest, train

from vaesearch.data import load_images
from vaesearch.recordings import Curve, Recording, read_recording, recording_to_bytes
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import numpy_generator
from vaesearch.storage.local import write_atomically

SAVE_SECONDS = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--decoders", nargs="+", default=["mlp", "deconv"])
    parser.add_argument("--settings", type=int, default=200, help="per decoder")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--image-size", type=int, default=8)
    parser.add_argument("--width", type=float, default=0.2, help="the greatest; the least is half")
    parser.add_argument("--train-limit", type=int)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/curves"))
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    data = load_images(
        options.dataset, data_dir=options.data_dir, image_size=options.image_size,
        pixels="8bit", train_limit=options.train_limit,
    )  # fmt: skip
    path = options.folder / f"{options.dataset}-settings.json.gz"
    recording = read_recording(path) if path.exists() else Recording(manifest(data, options), ())
    saved = time.monotonic()
    done = {curve.arm for curve in recording.curves}
    for number in range(options.settings):
        for decoder in options.decoders:
            arm = drawn(decoder, number, options.width)
            if arm.name in done:
                continue
            curve = rounded(train(arm, 0, data, options))
            recording = replace(recording, curves=(*recording.curves, curve))
            if time.monotonic() - saved > SAVE_SECONDS:
                write_atomically(path, recording_to_bytes(recording))
                saved = time.monotonic()
                print(f"{len(recording.curves)} curves", flush=True)
    write_atomically(path, recording_to_bytes(recording))


def drawn(decoder: str, number: int, width: float) -> Arm:
    """The setting of that number for a decoder, behind the encoder that suits it."""
    rng = numpy_generator(0, "setting", decoder, number)

    def between(low: float, high: float) -> float:
        return float(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.4g}")

    settings = TrialSettings(
        decoder=decoder,
        encoder="mlp" if decoder.startswith("mlp") else "conv",
        latent_dim=round(between(2, 32)),
        alpha=between(1e-3, 1.0),
        learning_rate=between(3e-4, 1e-2),
        batch_size=int(rng.choice([16, 32, 64])),
        width=between(width / 2, width),
    )
    return Arm(f"{decoder}-{number:03d}", settings)


def rounded(curve: Curve) -> Curve:
    """With as many digits as matter, so that the file stays small."""
    return replace(
        curve,
        valid=tuple(np.round(curve.valid, 5).tolist()),
        test=tuple(np.round(curve.test, 5).tolist()),
        seconds=tuple(np.round(curve.seconds, 3).tolist()),
    )


if __name__ == "__main__":
    main()
