"""The way of a data set: find it, bring it to one shape, split it, cache it, cut it to size."""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from vaesearch.config import PIXELS, Config
from vaesearch.data.cache import load_or_build
from vaesearch.data.core import ImageData, Pixels, Splits, canonical, fingerprint
from vaesearch.data.labels import arrange
from vaesearch.data.resizing import crop_square, resize
from vaesearch.data.sources import Source, find_source
from vaesearch.data.splits import held_out_limit, hold_out, split
from vaesearch.errors import DataError, InputError, unknown_name

SIZES = (4, 1024)  # smallest and largest images, in pixels on a side
MIN_TRAIN = 20
TEST_FRACTION = 0.1  # where no test images are given
THRESHOLD = 128


def load_data(config: Config) -> ImageData:
    """The images that ``config`` names.

    Raises:
        DataError: missing, damaged or unusable.
    """
    return load_images(
        config.dataset,
        data_dir=Path(config.data_dir),
        image_size=config.image_size,
        pixels=config.pixels,
        train_limit=config.train_limit,
    )


def load_images(
    dataset: str,
    *,
    data_dir: Path,
    image_size: int = 32,
    pixels: str = "8bit",
    train_limit: int | None = None,
    cache_dir: Path | None = None,
) -> ImageData:
    """Load a data set as square images in three disjoint sets, the same ones at every call.

    Args:
        dataset: ``PATH.npz`` (x_train and, unless a tenth of it is to test, x_test), a folder of
            images, NAME for ``NAME.npz`` in ``data_dir``, or a name of ``catalogue.DATASETS``. A
            folder that has the name of a catalogue entry is written ``./NAME``.
        data_dir: where named data sets are looked for and downloaded to.
        image_size: pixels on a side, 4 to 1024; other images are cropped to their middle square
            and scaled.
        pixels: ``8bit``, or ``binary``: levels from 128 become 255, the others 0.
        train_limit: train on the first images only, and limit validation and test to a quarter
            as many, but not below 250.
        cache_dir: of prepared data sets; default ``$VAESEARCH_CACHE`` or ``~/.cache/vaesearch``.

    Raises:
        DataError: the data set is missing, damaged, too small or cannot be downloaded.
        InputError: an unknown name or an option out of range.
    """
    _check_options(image_size, pixels, train_limit)
    source = find_source(dataset, data_dir=data_dir, image_size=image_size)
    splits = load_or_build(
        f"{source.identity} at {image_size}",
        partial(_prepare, source, image_size),
        cache_dir=cache_dir,
    )
    return _finish(source.name, splits, pixels, train_limit)


def _check_options(image_size: int, pixels: str, train_limit: int | None) -> None:
    smallest, largest = SIZES
    if not smallest <= image_size <= largest:
        raise InputError(f"--image-size must be {smallest} to {largest}, not {image_size}.")
    if pixels not in PIXELS:
        raise unknown_name("pixels", pixels, PIXELS)
    if train_limit is not None and train_limit < 1:
        raise InputError(f"--train-limit must be above 0, not {train_limit}.")


def _prepare(source: Source, image_size: int) -> Splits:
    """Read a source and make the splits that are cached."""
    raw = source.read()
    train = canonical(raw.train, source=f"{source.label}: x_train")
    if raw.test is None:
        train, test = hold_out(train, TEST_FRACTION)
    else:
        test = canonical(raw.test, source=f"{source.label}: x_test")
    _check_parts(train, test, source.label)
    parts = split(train, test)
    if len(parts[0]) < MIN_TRAIN:
        raise DataError(
            f"{source.label} has {len(train) + len(test)} images, which leaves {len(parts[0])} to "
            f"train on; at least {MIN_TRAIN} are needed."
        )
    train, valid, test = (resize(crop_square(part), image_size) for part in parts)
    labels = arrange(raw, TEST_FRACTION)
    return Splits(train, valid, test, fingerprint(train, valid, test), labels)


def _check_parts(train: Pixels, test: Pixels, label: str) -> None:
    if train.shape[1] != test.shape[1]:
        raise DataError(
            f"{label}: x_train has {train.shape[1]} channels but x_test {test.shape[1]}; "
            "both must be grey (1) or both colour (3)."
        )


def _finish(name: str, splits: Splits, pixels: str, train_limit: int | None) -> ImageData:
    """Apply the options that are cheap: the limit and the threshold."""
    held_out = None if train_limit is None else held_out_limit(train_limit)
    train = _levels(splits.train[:train_limit], pixels)
    valid = _levels(splits.valid[:held_out], pixels)
    test = _levels(splits.test[:held_out], pixels)
    # What was cut and how is added to the stored hash, so that no start hashes the images again.
    text = f"{splits.fingerprint} {pixels} {len(train)} {len(valid)} {len(test)}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    labels = splits.labels and splits.labels.first(train_limit, held_out)
    return ImageData(name, train, valid, test, pixels, digest, labels)


def _levels(images: Pixels, pixels: str) -> Pixels:
    """Read-only, as memory-mapped images are, whether or not there is a cache."""
    if pixels == "binary":
        images = np.where(images >= THRESHOLD, np.uint8(255), np.uint8(0))
    view = images.view()
    view.flags.writeable = False
    return view
