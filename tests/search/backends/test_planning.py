"""How many workers fit where, and what is refused."""

import pytest

from vaesearch.errors import InputError
from vaesearch.search.backends.ray.planning import Growth, Machine, Share, plan

CPU = Machine(4, 0, "a")
GPUS = Machine(8, 2, "b")


def planned(machines, *, growth=None, own=False, workers=None, gpus=None, most=10):
    return plan(
        machines, growth or Growth(), workers=workers, most=most, gpus_per_worker=gpus, own=own
    )


@pytest.mark.parametrize(
    ("gpus", "fits"),
    [(0.25, 8), (0.3, 6), (0.1, 8), (0.5, 4), (0.6, 2), (1.0, 2), (2.0, 1), (0.0, 8)],
)
def test_a_fraction_is_of_one_gpu_and_each_worker_needs_a_core(gpus, fits):
    assert Share(gpus).fitting(GPUS) == fits


def test_room_is_counted_machine_by_machine_among_those_that_stay():
    machines = [
        Machine(2.5, 0, "a"),
        Machine(1.5, 0, "b"),
        Machine(4, 0, "c", draining=True),
        Machine(4, 0, "d", alive=False),
    ]
    assert Share().room(machines) == 3  # and not the 4 that 2.5 + 1.5 cores would have


def test_workers_want_a_gpu_wherever_there_is_one():
    made = planned([CPU, GPUS])
    assert made.share == Share(1.0)
    assert planned([CPU]).share == Share(0.0)
    assert planned([CPU], growth=Growth(True, (GPUS,))).share == Share(1.0)


def test_this_machine_alone_has_a_fixed_number():
    assert planned([CPU], own=True).ceiling == 4
    assert planned([CPU], own=True, most=3).ceiling == 3
    assert planned([CPU], own=True, workers=2).ceiling == 2
    with pytest.raises(InputError, match=r"--workers 5: this machine has room for 4"):
        planned([CPU], own=True, workers=5)


def test_elsewhere_the_number_is_a_ceiling_for_machines_that_join():
    made = planned([CPU], workers=64)
    assert made.ceiling == 64
    assert not made.fixed
    assert planned([CPU]).ceiling == 10


@pytest.mark.parametrize(
    ("machines", "gpus", "words"),
    [
        ([CPU], 1.0, "no machine of the cluster has a GPU"),
        ([CPU, GPUS], 4.0, "has more than 2"),
        ([GPUS], 1.5, "only whole GPUs"),
        ([Machine(0, 2, "b")], 1.0, "with a GPU has a CPU"),
    ],
)
def test_what_no_machine_can_hold_is_refused_in_two_lines(machines, gpus, words):
    with pytest.raises(InputError, match=words) as error:
        planned(machines, gpus=gpus)
    assert len(str(error.value).splitlines()) == 2


def test_what_the_autoscaler_can_add_is_not_refused():
    large = Machine(64, 8, name="large")
    assert planned([CPU], gpus=4.0, growth=Growth(True, (large,))).share == Share(4.0)
    assert planned([CPU], gpus=4.0, growth=Growth(True)).share == Share(4.0)  # kinds unknown
    with pytest.raises(InputError, match="has more than 8"):
        planned([CPU], gpus=16.0, growth=Growth(True, (large,)))
