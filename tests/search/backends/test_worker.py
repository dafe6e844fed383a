"""A worker on a part of a GPU, without one."""

from types import SimpleNamespace

import pytest
import ray
import torch

from vaesearch.search.backends.ray.worker import keep_to_share


@pytest.mark.parametrize(
    ("gpus", "share", "kept"),
    [([0], 0.25, [0.25]), ([0], 1.0, []), ([0, 1], 2.0, []), ([], 0, [])],
)
def test_memory_is_that_of_the_share_whoever_else_is_there(monkeypatch, gpus, share, kept):
    context = SimpleNamespace(get_assigned_resources=lambda: {"GPU": share} if gpus else {})
    limits = []
    monkeypatch.setattr(ray, "get_gpu_ids", lambda: gpus)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: context)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", limits.append)
    keep_to_share()
    assert limits == kept
