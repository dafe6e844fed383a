import pytest

from vaesearch.doctor import hardware
from vaesearch.doctor.core import Question
from vaesearch.doctor.hardware import judge_cores, judge_gpus, judge_pair, look_torch, quota
from vaesearch.doctor.processes import ProbeError

TORCH = {"torch": "2.11.0", "cuda": "12.8", "torchvision": "0.26.0", "gpus": []}
SMI = ["NVIDIA H200, 143771 MiB, 570.1"]


@pytest.mark.parametrize(
    ("change", "state", "seen"),
    [
        ({}, "ok", "torch 2.11.0 (CUDA 12.8), torchvision 0.26.0"),
        ({"cuda": None}, "ok", "CPU only"),
        ({"broken": "RuntimeError: operator\ntorchvision::nms does not exist"}, "FAIL", "nms"),
        ({"missing": "No module named 'torchvision'"}, "warning", "no downloads"),
    ],
)
def test_the_pair(change, state, seen):
    [found] = judge_pair(TORCH | change)
    assert found.state == state
    assert seen in found.seen


def gpu(free):
    return {"name": "NVIDIA H200", "free": free, "total": 140e9}


@pytest.mark.parametrize(
    ("torch", "smi", "problem", "state", "said"),
    [
        ({}, [], "", "ok", "none: training is on the CPU"),
        ({"gpus": [gpu(139e9)]}, SMI, "", "ok", "driver 570.1"),
        ({"gpus": [gpu(9e9)]}, SMI, "", "warning", "9 of 140 GB free"),
        ({"cuda": None}, SMI, "", "FAIL", "CPU-only build"),
        ({}, SMI, "", "FAIL", "cannot use it"),
        ({}, [], "driver mismatch", "FAIL", "driver mismatch"),
    ],
)
def test_gpus(monkeypatch, torch, smi, problem, state, said):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    [found] = judge_gpus(TORCH | torch, smi, problem)
    assert found.state == state
    assert said in found.seen


def test_gpus_that_are_hidden(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    [found] = judge_gpus(TORCH, SMI)
    assert (found.state, found.cure) == ("warning", "unset CUDA_VISIBLE_DEVICES")


def test_a_torch_that_kills_its_process(monkeypatch):
    def crash(*words, **options):
        raise ProbeError("killed by signal 11")

    monkeypatch.setattr(hardware, "ask", crash)
    [found] = look_torch(Question())
    assert found.state == "FAIL"
    assert "signal 11" in found.seen


@pytest.mark.parametrize(
    ("arguments", "state", "cure"),
    [
        ((8, 8, None, 1.0, ""), "ok", ""),
        ((8, 8, None, 1.0, "1"), "ok", ""),
        ((8, 2, None, 1.0, ""), "warning", "--workers 2"),
        ((8, 8, 2.0, 1.0, ""), "warning", "--workers 2"),
        ((8, 8, 0.4, 1.0, ""), "warning", "--workers 1"),
        ((8, 8, 1.8, 1.0, ""), "warning", "--workers 1"),
        ((8, 8, None, 1.0, "64"), "warning", "OMP_NUM_THREADS=1"),
        ((8, 8, None, 9.0, ""), "warning", "other programs"),
    ],
)
def test_cores(arguments, state, cure):
    found = judge_cores(*arguments)
    assert found.state == state
    assert cure in found.cure


@pytest.mark.parametrize(
    ("text", "share"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None)]
)
def test_the_share_of_a_container(tmp_path, text, share):
    path = tmp_path / "cpu.max"
    path.write_text(text)
    assert quota(path) == share
    assert quota(tmp_path / "missing") is None
