"""What the reproductions share: images, training, and how results reach the page of documents.

A script measures, writes ``results/NAME.json``, and fills the tables of its section of
``docs/reproduction.md`` from that file alone, so that ``--tables`` makes them again without
measuring.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaesearch.data import ImageData
from vaesearch.data.labels import Labels
from vaesearch.models.vae import VAE
from vaesearch.records import Arm, TrialSettings
from vaesearch.report.machine import hardware, software
from vaesearch.threads import threads
from vaesearch.training import new_state, train_epoch

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "reproduction.md"
IMAGES = ROOT / "docs" / "images" / "reproduction"
NETWORKS = Path(__file__).parent  # so that networks:Dense... can be named in settings

RUNS = "runs"  # the place of the page that says how long each script took

Results = dict[str, Any]


def parser(text: str) -> argparse.ArgumentParser:
    """The options that all scripts take."""
    made = argparse.ArgumentParser(description=text)
    made.add_argument("--data-dir", type=Path, default=_data_dir(), help="folder with mnist.npz")
    made.add_argument("--full", action="store_true", help="the paper's own scale, for a GPU")
    made.add_argument("--device", default="cpu")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--tables", action="store_true", help="only fill the page from the results")
    return made


def _data_dir() -> Path:
    return Path(os.environ.get("VAESEARCH_TEST_DATA") or ROOT.parent / "shared" / "data")


def run(
    name: str,
    options: argparse.Namespace,
    measure: Callable[[argparse.Namespace], Results],
    tables: Callable[[Results], dict[str, str]],
    draw: Callable[[Results], None] | None = None,
) -> None:
    """Measure, keep the results, and fill the page.

    What ``--full`` finds is kept in a file of its own and only printed: the page's words are
    about the small scale.

    Args:
        name: of the results' file.
        options: as :func:`parser` gives them.
        measure: returns plain data.
        tables: of results, Markdown by the name of its place in the page: text between the lines
            ``<!-- NAME -->`` and ``<!-- /NAME -->``.
        draw: pictures of results, for the page.
    """
    path = RESULTS / (f"{name}-full.json" if options.full else f"{name}.json")
    if not options.tables:
        torch.set_num_threads(1)
        started = time.perf_counter()
        results = measure(options)
        results["hardware"], results["software"] = hardware(), software()
        results["scale"] = "full" if options.full else "small"
        results["seconds"] = round(time.perf_counter() - started)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(results))
    results = json.loads(path.read_text())
    for place, text in tables(results).items():
        print(text, end="\n\n")
        if not options.full:
            fill(place, text)
    if not options.full:
        fill(RUNS, runs())
        if draw is not None:
            draw(results)


def runs() -> str:
    """A table of the measurements that the page shows: how long each took, and where."""
    rows = []
    for path in sorted(RESULTS.glob("*.json")):
        found = json.loads(path.read_text())
        if found["scale"] == "small":
            versions = ", ".join(
                f"{name} {version}" for name, version in found["software"].items()
            )
            minutes = f"{found['seconds'] / 60:.1f}"
            rows.append([f"`{path.stem}.py`", minutes, found["hardware"], versions])
    return markdown(["script", "minutes", "machine", "software"], rows)


def written(results: Results) -> str:
    """The results as JSON, with a line for each list of numbers."""
    text = json.dumps(results, indent=1)
    lists = re.compile(r"\[[\s\d.,eE+-]+\]")
    return lists.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def fill(place: str, text: str) -> None:
    """Replace what stands at ``place`` of the page."""
    try:
        PAGE.write_text(filled(PAGE.read_text(), place, text))
    except LookupError as error:
        sys.exit(f"{PAGE} has {error}")


def filled(page: str, place: str, text: str) -> str:
    """The page with ``text`` between the lines ``<!-- PLACE -->`` and ``<!-- /PLACE -->``.

    Raises:
        LookupError: there is no such place.
    """
    pattern = re.compile(rf"(<!-- {place} -->\n).*?(<!-- /{place} -->)", re.DOTALL)
    if not pattern.search(page):
        raise LookupError(f"no place <!-- {place} -->")
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def digits(
    folder: Path, *, full: bool = False, binary: bool = False, name: str = "mnist"
) -> ImageData:
    """MNIST at 28x28: 8,000 images to train and 2,000 to test, all of them former test images.

    With ``full`` the data set's own 60,000 and 10,000. Validation images are the test images:
    nothing is selected by them here. ``name`` may be another set of the same form, such as
    ``fashionmnist``.
    """
    path = folder / f"{name}.npz"
    if not path.is_file():
        sys.exit(f"no {path}: give its folder with --data-dir")
    with np.load(path) as archive:
        if full:
            train, test = archive["x_train"], archive["x_test"]
            classes = [archive[part].astype(np.int64) for part in ("y_train", "y_test")]
        else:
            order = np.random.default_rng(0).permutation(len(archive["x_test"]))
            train, test = np.split(archive["x_test"][order], [8000])
            classes = np.split(archive["y_test"][order].astype(np.int64), [8000])
    labels = Labels(classes[0], classes[1], classes[1])
    return replace(as_data(name, train[:, None], test[:, None], binary=binary), labels=labels)


def as_data(name: str, train: np.ndarray, test: np.ndarray, *, binary: bool) -> ImageData:
    """Arrays ``[N, C, H, W]`` as a data set."""
    if binary:
        train, test = (np.where(part > 127, np.uint8(255), np.uint8(0)) for part in (train, test))
    digest = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
    return ImageData(name, train, test, test, "binary" if binary else "8bit", digest)


def trained(
    settings: TrialSettings, data: ImageData, epochs: int, *, seed: int, device: str = "cpu"
) -> VAE:
    """A model after so many epochs, in evaluation mode; a line on stderr says how long it took."""
    started = time.perf_counter()
    state = new_state(Arm("reproduction", settings), data.shape, seed, torch.device(device))
    images = torch.tensor(data.train, device=device)
    with threads(1):
        loss = None
        for _ in range(epochs):
            loss = train_epoch(state, images, seed)
    seconds = time.perf_counter() - started
    print(f"{_words(settings)}: loss {loss:.2f} after {seconds:.0f} s", file=sys.stderr)
    return state.model.eval()


def _words(settings: TrialSettings) -> str:
    plain = asdict(TrialSettings(settings.decoder))
    return ", ".join(f"{k} {v}" for k, v in asdict(settings).items() if v != plain[k])


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
