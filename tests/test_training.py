import subprocess
import sys
import textwrap
import time
from collections import deque
from dataclasses import replace

import pytest
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.errors import DivergedError, InputError
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import torch_generator
from vaesearch.threads import threads
from vaesearch.training import SCALE_RATE, new_state, shuffled_batches, train_epoch

SHAPE = (1, 8, 8)
CPU = torch.device("cpu")
DENSE = TrialSettings("mlp", encoder="mlp", latent_dim=3, width=1 / 32, batch_size=8)
CONVOLUTIONAL = replace(DENSE, decoder="deconv", encoder="conv", likelihood="gaussian")


def state_of(settings=DENSE, name="a", seed=0):
    return new_state(Arm(name, settings), SHAPE, seed, CPU)


def weights(state):
    return {k: v.clone() for k, v in state.model.state_dict().items()}


def are_equal(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(autouse=True)
def _one_thread():
    with threads(1):
        yield


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(6)
    return torch.randint(0, 256, (36, *SHAPE), generator=generator).byte()


def trained(images, settings=DENSE, *, name="a", seed=0, epochs=1):
    state = state_of(settings, name, seed)
    losses = [train_epoch(state, images, seed) for _ in range(epochs)]
    return losses, weights(state)


@pytest.mark.parametrize("settings", [DENSE, CONVOLUTIONAL, replace(CONVOLUTIONAL, alpha=1.0)])
def test_same_seed_gives_the_same_weights(images, settings):
    losses, first = trained(images, settings, epochs=2)
    again_losses, again = trained(images, settings, epochs=2)
    assert losses == again_losses
    assert are_equal(first, again)


@pytest.mark.parametrize("change", [{"name": "b"}, {"seed": 1}])
def test_another_arm_or_seed_starts_and_trains_differently(images, change):
    (loss,), first = trained(images)
    (other_loss,), other = trained(images, **change)
    assert loss != other_loss
    assert not are_equal(first, other)


def test_noise_differs_between_epochs_arms_and_seeds(images):
    """From the same weights, so that nothing but order and noise can differ."""
    start = weights(state_of())

    def loss(name="a", epoch=0, seed=0):
        state = state_of(name=name)
        state.model.load_state_dict(start)
        state.epoch = epoch
        return train_epoch(state, images, seed)

    assert len({loss(), loss(epoch=1), loss(name="b"), loss(seed=1)}) == 4
    assert loss() == loss()


@pytest.mark.slow
def test_another_process_gives_the_same_weights(images):
    code = f"""
        import torch
        from vaesearch.records import Arm, TrialSettings
        from vaesearch.threads import threads
        from vaesearch.training import new_state, train_epoch
        torch.rand(3)
        images = torch.randint(
            0, 256, (36, 1, 8, 8), generator=torch.Generator().manual_seed(6)
        ).byte()
        state = new_state(Arm("a", {CONVOLUTIONAL!r}), (1, 8, 8), 0, torch.device("cpu"))
        with threads(1):
            print(repr([train_epoch(state, images, 0) for _ in range(2)]))
        print(repr([v.double().sum().item() for v in state.model.state_dict().values()]))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    losses, ours = trained(images, CONVOLUTIONAL, epochs=2)
    assert output.splitlines() == [
        repr(losses),
        repr([v.double().sum().item() for v in ours.values()]),
    ]


@pytest.mark.parametrize("settings", [DENSE, CONVOLUTIONAL])
def test_going_on_through_a_file_is_going_on_in_memory(images, settings, tmp_path):
    store, state = CheckpointStore(tmp_path), state_of(settings)
    for _ in range(2):
        train_epoch(state, images, 0)
    digest = store.save("a", 2, state.to_dict())
    restored = state_of(settings)
    restored.load(store.load("a", 2, digest))
    assert restored.epoch == 2
    assert train_epoch(state, images, 0) == train_epoch(restored, images, 0)
    assert are_equal(weights(state), weights(restored))
    moments = [s.optimizer.state_dict()["state"] for s in (state, restored)]
    assert all(are_equal(moments[0][k], moments[1][k]) for k in moments[0])


def test_without_adams_moments_it_would_go_elsewhere(images):
    """Guards the test above: it can fail."""
    state, restored = state_of(), state_of()
    train_epoch(state, images, 0)
    restored.load(state.to_dict() | {"optimizer": restored.optimizer.state_dict()})
    train_epoch(state, images, 0)
    train_epoch(restored, images, 0)
    assert not are_equal(weights(state), weights(restored))


def test_loss_falls(images):
    losses, _ = trained(images, epochs=20)
    assert losses[-1] < losses[0] - 5


def test_passed_deadline_gives_up_inside_the_epoch(images):
    state = state_of()
    assert train_epoch(state, images, 0, deadline=time.monotonic() - 1) is None
    assert state.epoch == 0
    assert train_epoch(state_of(), images, 0, deadline=time.monotonic() + 60) is not None


def test_weights_that_are_no_numbers_are_called_diverged(images):
    state = state_of()
    with torch.no_grad():
        state.model.posterior.mean.weight[0, 0] = float("nan")
    with pytest.raises(DivergedError, match="training loss became nan in epoch 1"):
        train_epoch(state, images, 0)
    assert state.epoch == 0


def test_absurd_learning_rate_is_called_diverged(images):
    state = state_of(replace(DENSE, learning_rate=1e30, likelihood="bernoulli"))
    with pytest.raises(DivergedError, match="training loss became"):
        deque((train_epoch(state, images, 0) for _ in range(3)), maxlen=0)


def test_all_images_are_used_over_epochs_and_none_twice_in_one():
    images = torch.arange(36, dtype=torch.uint8).view(36, 1, 1, 1)
    seen = set()
    for epoch in range(8):
        batches = list(shuffled_batches(images, 8, torch_generator(0, "a", epoch)))
        assert [len(b) for b in batches] == [8, 8, 8, 8]  # the last 4 are left out
        used = torch.cat(batches).mul(255).round().flatten().int().tolist()
        assert len(set(used)) == 32
        seen |= set(used)
    assert seen == set(range(36))


def test_fewer_images_than_a_batch_are_one_batch():
    images = torch.full((5, 1, 2, 2), 255, dtype=torch.uint8)
    (batch,) = shuffled_batches(images, 8, torch_generator(0))
    assert batch.shape == (5, 1, 2, 2)
    assert (batch == 1).all()


def test_scale_of_the_likelihood_has_a_rate_of_its_own():
    networks, scale = state_of().optimizer.param_groups
    assert len(scale["params"]) == 1
    assert scale["lr"] == SCALE_RATE * networks["lr"]
    (only,) = state_of(replace(DENSE, likelihood="gaussian:optimal")).optimizer.param_groups
    assert len(only["params"]) == len(networks["params"])


def test_threads_are_put_back():
    before, inside = torch.get_num_threads(), []

    def fail():
        inside.append(torch.get_num_threads())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), threads(before + 1):
        fail()
    assert [*inside, torch.get_num_threads()] == [before + 1, before]


def test_arm_that_does_not_fit_the_images_is_refused():
    with pytest.raises(InputError, match="multiple of 16"):
        state_of(replace(DENSE, decoder="deconv-deep"))
