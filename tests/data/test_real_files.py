import numpy as np


def test_mnist_is_loaded_by_name(load, real_data):
    data = load("mnist", data_dir=real_data, image_size=28)
    assert data.shape == (1, 28, 28)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [55_000, 5000, 10_000]
    together = np.concatenate([data.train, data.valid])
    with np.load(real_data / "mnist.npz") as archive:
        original = archive["x_train"]
    assert together.sum(dtype=np.int64) == original.sum(dtype=np.int64)


def test_cifar_is_loaded_by_name_and_scaled(load, real_data):
    data = load("cifar10", data_dir=real_data, image_size=16, train_limit=2000)
    assert data.shape == (3, 16, 16)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [2000, 500, 500]
    assert 100 < data.train.mean() < 140
