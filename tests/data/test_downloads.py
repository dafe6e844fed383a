import struct
import sys
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image

from vaesearch import catalogue
from vaesearch.data import load_images
from vaesearch.errors import DataError

NAMES = ("mnist", "qmnist", "fashionmnist", "cifar10", "celeba")
CLASSES = dict(zip(NAMES, ("MNIST", "QMNIST", "FashionMNIST", "CIFAR10", "CelebA"), strict=True))


def read(name, folder, size=16):
    return catalogue.find("datasets", name).load()(data_dir=folder, image_size=size)


@pytest.fixture
def torchvision_class(monkeypatch):
    """Replace a class of torchvision by a function."""
    from torchvision import datasets

    return lambda name, stand_in: monkeypatch.setattr(datasets, CLASSES[name], stand_in)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "failure",
    [
        URLError("Name or service not known"),
        RuntimeError("Error downloading:\nTried a mirror, got:\n" + "long " * 100),
        OSError(28, "No space left on device"),
        EOFError(),
    ],
)
def test_a_failed_download_says_what_to_put_where(
    name, failure, torchvision_class, tmp_path, capsys
):
    def fail(*_args, **_kwargs):
        sys.stdout.write("Downloading")
        raise failure

    torchvision_class(name, fail)
    with pytest.raises(DataError, match=f"could not download or read {name}") as caught:
        load_images(name, data_dir=tmp_path, cache_dir=tmp_path / "cache")
    message = str(caught.value)
    assert message.count("\n") == 1
    assert f"{name}.npz with x_train" in message
    assert str(tmp_path) in message
    assert len(message) < 500
    assert capsys.readouterr().out == ""


def test_the_message_names_the_folder_of_cifar(torchvision_class, tmp_path):
    torchvision_class("cifar10", lambda *_args, **_kwargs: int("no number"))
    with pytest.raises(DataError, match="folder cifar-10-batches-py"):
        read("cifar10", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "celeba"])
def test_a_torchvision_of_another_torch_is_explained(name, monkeypatch, tmp_path):
    class Broken:
        def find_spec(self, module, _path=None, _target=None):
            if module == "torchvision":
                raise RuntimeError("operator torchvision::nms does not exist")

    for module in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(DataError, match=r"(?s)nms does not exist.*same index") as caught:
        read(name, tmp_path)
    assert str(caught.value).count("\n") == 1


def write_idx(path, array, code):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    path.write_bytes(head + array.tobytes())


@pytest.mark.parametrize("name", ["mnist", "fashionmnist"])
def test_files_that_are_there_are_read_without_a_network(name, tmp_path, images):
    parts = {"train": images((30, 28, 28)), "t10k": images((9, 28, 28))}
    for part, pictures in parts.items():
        raw = tmp_path / CLASSES[name] / "raw"
        write_idx(raw / f"{part}-images-idx3-ubyte", pictures, 8)
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.zeros(len(pictures), np.uint8), 8)
    for loaded, written in zip(read(name, tmp_path)[:2], parts.values(), strict=True):
        np.testing.assert_array_equal(loaded, written)


def test_qmnist_is_read_without_a_network(tmp_path, images):
    parts = {"train": images((30, 28, 28)), "test": images((9, 28, 28))}
    for part, pictures in parts.items():
        raw = tmp_path / "QMNIST" / "raw"
        write_idx(raw / f"qmnist-{part}-images-idx3-ubyte", pictures, 8)
        write_idx(raw / f"qmnist-{part}-labels-idx2-int", np.zeros((len(pictures), 8), ">i4"), 12)
    for loaded, written in zip(read("qmnist", tmp_path)[:2], parts.values(), strict=True):
        np.testing.assert_array_equal(loaded, written)


def test_cifar_has_colour(torchvision_class, tmp_path, images):
    class CIFAR10:
        def __init__(self, root, train, download):
            assert (root, download) == (tmp_path, True)
            sys.stdout.write("Files already downloaded and verified")
            self.data = images((30 if train else 9, 32, 32, 3))
            self.targets = list(range(len(self.data)))

    torchvision_class("cifar10", CIFAR10)
    assert [part.shape for part in read("cifar10", tmp_path)[:2]] == [
        (30, 32, 32, 3),
        (9, 32, 32, 3),
    ]


def test_celeba_is_scaled_while_it_is_read(torchvision_class, tmp_path, images):
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    names = {"train": ["000001.jpg", "000002.jpg"], "test": ["000003.jpg"]}
    for name in (*names["train"], *names["test"]):
        Image.fromarray(images((218, 178, 3))).save(folder / name)

    class CelebA:
        def __init__(self, root, split, download):
            assert (root, download) == (tmp_path, True)
            self.filename = names[split]

    torchvision_class("celeba", CelebA)
    assert [part.shape for part in read("celeba", tmp_path)[:2]] == [
        (2, 3, 16, 16),
        (1, 3, 16, 16),
    ]


def test_a_damaged_download_is_explained(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (raw / f"{part}-{kind}-ubyte").write_bytes(b"\0\0\x08\x03 cut short")
    with pytest.raises(DataError, match="could not download or read mnist"):
        read("mnist", tmp_path)
