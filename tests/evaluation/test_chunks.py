import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch.errors import InputError
from vaesearch.evaluation import iwae
from vaesearch.evaluation.chunks import is_out_of_memory, usual_chunk, with_enough_memory
from vaesearch.evaluation.joint import Joint

ERRORS = (
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."),
)


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def linear():
    return LinearGaussianVAE()


@pytest.fixture
def x(linear):
    return linear.images(10, generator())


def limit(model, most, error):
    """A decoder that runs out of memory above so many rows."""
    rows = []

    def refuse(_, arguments):
        rows.append(len(arguments[0]))
        if rows[-1] > most:
            raise error

    model.decoder.register_forward_pre_hook(refuse)
    return rows


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_chunk_is_halved_until_it_fits(linear, x, error):
    expected = iwae(linear, x, generator(), 8)
    rows = limit(linear, 11, error)
    found = iwae(linear, x, generator(), 8, chunk=80)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert rows[:3] == [80, 40, 16]  # two images of twenty pictures; then a chunk of ten
    assert sum(row for row in rows if row <= 11) == 80


def test_what_fits_is_remembered(linear, x):
    joint = Joint(linear, x, chunk=40)
    rows = limit(linear, 10, MemoryError())
    z = torch.randn(4, 10, 3, generator=generator()).double()
    joint.log_likelihood(z)
    joint.point(z)
    assert joint.chunk == 10
    assert [row for row in rows if row > 10] == [40, 20]


def test_one_picture_at_a_time_is_the_end(linear, x):
    limit(linear, 0, MemoryError("no more"))
    with pytest.raises(InputError, match=r"too little memory to decode one picture .*\(no more\)"):
        iwae(linear, x, generator(), 8)


def test_other_errors_are_not_about_memory(linear, x):
    rows = limit(linear, 0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="multiplied"):
        iwae(linear, x, generator(), 8, chunk=80)
    assert rows == [80]


def test_the_allocator_of_the_cpu_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("anything else"))


def test_result_comes_with_its_chunk():
    assert with_enough_memory(lambda chunk: 3 * chunk, 5) == (15, 5)


def test_usual_chunk_follows_the_device_and_is_one_picture_at_least():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert 64 <= usual_chunk(784, cpu) <= 512
    assert usual_chunk(784, gpu) > 10_000
    assert usual_chunk(10**9, cpu) == 1
