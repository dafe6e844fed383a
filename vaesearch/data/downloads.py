"""Data sets that torchvision knows how to download; nothing else here imports torchvision."""

import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np

from vaesearch.data.folder import read_images
from vaesearch.data.labels import Array, Raw
from vaesearch.errors import DataError

# What comes out of torchvision without a network, with a full disk or with a damaged download.
FAILURES = (
    OSError, RuntimeError, ValueError, EOFError, LookupError, AssertionError, HTTPException,
    tarfile.TarError, zipfile.BadZipFile,
)  # fmt: skip


def load_mnist(*, data_dir: Path, image_size: int) -> Raw:
    """60,000 and 10,000 digits, uint8 [N, 28, 28]; ``image_size`` is not needed.

    Raises:
        DataError: torchvision cannot be imported, or the download failed.
    """
    return _load_pair("mnist", "MNIST", "MNIST/raw", data_dir)


def load_qmnist(*, data_dir: Path, image_size: int) -> Raw:
    """60,000 and 60,000 digits, uint8 [N, 28, 28]; ``image_size`` is not needed.

    Raises:
        DataError: torchvision cannot be imported, or the download failed.
    """
    return _load_pair("qmnist", "QMNIST", "QMNIST/raw", data_dir)


def load_fashionmnist(*, data_dir: Path, image_size: int) -> Raw:
    """60,000 and 10,000 clothes, uint8 [N, 28, 28]; ``image_size`` is not needed.

    Raises:
        DataError: torchvision cannot be imported, or the download failed.
    """
    return _load_pair("fashionmnist", "FashionMNIST", "FashionMNIST/raw", data_dir)


def load_cifar10(*, data_dir: Path, image_size: int) -> Raw:
    """50,000 and 10,000 photographs, uint8 [N, 32, 32, 3]; ``image_size`` is not needed.

    Raises:
        DataError: torchvision cannot be imported, or the download failed.
    """
    return _load_pair("cifar10", "CIFAR10", "cifar-10-batches-py", data_dir)


def load_celeba(*, data_dir: Path, image_size: int) -> Raw:
    """162,770 and 19,962 faces, uint8 [N, 3, S, S] at S = ``image_size``.

    The files, 178x218 pixels each, are scaled while they are read: all of them would fill 20 GiB.

    Raises:
        DataError: torchvision cannot be imported, the download failed, or a file is damaged.
    """
    datasets = _import_datasets("celeba", data_dir)
    with _explained("celeba", "celeba", data_dir):
        names = [
            datasets.CelebA(data_dir, split, download=True).filename for split in ("train", "test")
        ]
    images = data_dir / "celeba" / "img_align_celeba"
    train, test = ([images / name for name in part] for part in names)
    return Raw(read_images(train, image_size), read_images(test, image_size))


def _load_pair(name: str, kind: str, files: str, data_dir: Path) -> Raw:
    """What a torchvision class holds that keeps images in ``data`` and labels in ``targets``."""
    make = getattr(_import_datasets(name, data_dir), kind)
    with _explained(name, files, data_dir):
        train, test = (make(data_dir, train=train, download=True) for train in (True, False))
    return Raw(np.asarray(train.data), np.asarray(test.data), _targets(train), _targets(test))


def _targets(part: Any) -> Array:
    """QMNIST says in seven more columns who wrote a digit."""
    targets = np.asarray(part.targets)
    return targets[:, 0] if targets.ndim == 2 else targets


def _import_datasets(name: str, data_dir: Path) -> Any:
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        # A torch from another index than torchvision's: "torchvision::nms does not exist".
        raise DataError(
            f"torchvision, which downloads {name}, cannot be imported ({_reason(error)}).\n"
            "Reinstall torch and torchvision together from the same index, both CPU-only or both "
            f"CUDA; or put {name}.npz with x_train, x_test into {data_dir}."
        ) from error
    return datasets


@contextmanager
def _explained(name: str, files: str, data_dir: Path) -> Iterator[None]:
    """Keep torchvision's messages off standard output, and say what to do where it fails."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except FAILURES as error:
        raise DataError(
            f"could not download or read {name} ({_reason(error)}).\nPut {name}.npz with x_train, "
            f"y_train, x_test, y_test, or torchvision's folder {files}, into {data_dir}."
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."
