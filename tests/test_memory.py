"""A GPU whose memory is too small, as torch says it."""

import weakref

import pytest
import torch

from vaesearch.errors import OutOfMemoryError
from vaesearch.memory import stage, with_room


class Held:
    pass


def test_what_was_held_is_let_go_before_room_is_made():
    alive, seen = [], []

    def work():
        held = Held()
        alive.append(weakref.ref(held))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")

    with pytest.raises(OutOfMemoryError, match=r"^CUDA out of memory. Tried to allocate 2 GiB$"):
        with_room(work, lambda: seen.append(alive[-1]()))
    assert seen == [None, None]


def test_only_the_second_verdict_counts():
    done = []

    def work():
        done.append("work")
        if done == ["work"]:
            raise RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")
        return 3

    assert with_room(work, lambda: done.append("room")) == 3
    assert done == ["work", "room", "work"]


def test_other_errors_and_results_pass():
    assert with_room(lambda: 3, lambda: None) == 3
    with pytest.raises(RuntimeError, match="shapes"):
        with_room(lambda: (_ for _ in ()).throw(RuntimeError("shapes")), lambda: None)


def test_a_stage_is_named_and_what_it_held_is_let_go():
    alive, seen = [], []

    def work():
        with stage("validation"):
            held = Held()
            alive.append(weakref.ref(held))
            raise torch.OutOfMemoryError("CUDA out of memory.\nmore")

    with pytest.raises(OutOfMemoryError, match=r"^validation: CUDA out of memory\.$"):
        with_room(work, lambda: seen.append(alive[-1]()))
    assert seen == [None, None]
    with pytest.raises(RuntimeError, match=r"^shapes$"), stage("validation"):
        raise RuntimeError("shapes")
