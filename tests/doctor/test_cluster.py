import pytest

from vaesearch.doctor import cluster, node
from vaesearch.doctor.asking_nodes import NODE_SECONDS
from vaesearch.doctor.cluster import judge, judge_node, judge_token, look_cluster
from vaesearch.doctor.core import Question
from vaesearch.doctor.processes import ProbeError

VERSIONS = {"vaesearch": "0.1.0", "ray": "2.60.0", "torch": "2.11.0", "numpy": "2.1"}
HERE = {"python": "3.11.7", "versions": VERSIONS}
NODE = {
    "name": "10.0.0.2", "host": "b", "pid": 7, "gpu": 0, "python": "3.11.7", "importable": True,
    "versions": VERSIONS, "cuda": "12.8", "gpus": [], "disk": 50e9, "memory": 16e9,
    "storage": "", "skew": 0.01, "round_trip": 0.02,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "state", "said", "cure"),
    [
        ({}, "ok", "same versions", ""),
        ({"error": "the node died"}, "FAIL", "no answer: the node died", "logs"),
        ({"python": "3.12.1"}, "FAIL", "Python 3.12.1 there, 3.11.7 here", "same Python"),
        ({"python": "3.11.9"}, "warning", "Python 3.11.9", "same Python"),
        ({"versions": VERSIONS | {"ray": "2.59.0"}}, "FAIL", "ray 2.59.0", "ray==2.60.0"),
        ({"versions": VERSIONS | {"torch": "2.12.0"}}, "warning", "torch 2.12.0", "torch==2.11"),
        ({"versions": VERSIONS | {"torch": None}}, "FAIL", "torch is missing", "torch==2.11"),
        ({"versions": VERSIONS | {"vaesearch": None}}, "ok", "same versions", ""),
        ({"importable": False}, "FAIL", "cannot be imported", "vaesearch submit"),
        ({"storage": "b sees another /x than the process: use storage that all share"}, "FAIL",
         "b sees another /x", "use storage that all share"),
        ({"storage": "s3fs is not installed there"}, "FAIL", "s3fs", "mount it"),
        ({"gpus": ["H200"], "cuda": None, "gpu": 1}, "FAIL", "CPU-only", "torch for CUDA"),
        ({"gpus": ["H200", "H200"], "gpu": 1}, "warning", "2 GPUs", "--num-gpus=2"),
        ({"skew": -3.2}, "warning", "3.2 s behind", "chrony"),
        ({"skew": 3.2, "round_trip": 9.0}, "ok", "", ""),  # it may be the way that took so long
        ({"disk": 1e8}, "FAIL", "0.1 GB of disk", "make room"),
        ({"memory": 1e9}, "warning", "1.0 GB of memory", "fewer workers"),
    ],
)  # fmt: skip
def test_a_node(change, state, said, cure):
    [found] = judge_node(NODE | change, HERE, "/x")
    assert found.state == state
    assert said in found.seen
    assert cure in found.cure


def told(*nodes, answers=()):
    return {"here": HERE, "nodes": nodes, "answers": answers, "auth": ""}


def test_what_nodes_wrote_must_be_read_here():
    other = NODE | {"name": "10.0.0.3", "host": "c"}
    *_, well = judge(told(NODE, other, answers=["b.7", "c.9"]), "/x")
    assert (well.state, well.seen) == ("ok", "/x is the same on every node")
    *_, lost = judge(told(NODE, other, answers=["b.7"]), "/x")
    assert lost.state == "FAIL"
    assert "what 10.0.0.3 wrote" in lost.seen


@pytest.mark.parametrize(
    ("address", "mode", "state"),
    [
        ("10.0.0.1:6379", "", "warning"), ("10.0.0.1:6379", "token", "ok"),
        ("127.evil.example:6379", "disabled", "warning"), ("[::1]:6379", "disabled", "ok"),
        ("127.0.0.1:6379", "", "ok"), ("ray://localhost:10001", "", "ok"), ("auto", "", "ok"),
        ("ray://head:10001", "disabled", "warning"),
    ],
)  # fmt: skip
def test_tokens(address, mode, state, monkeypatch):
    known = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}

    def resolve(host, *words, **more):
        return [(0, 0, 0, "", (known.get(host, "10.0.0.1"), 0))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    assert judge_token(address, mode).state == state


def test_a_cluster_that_refuses(monkeypatch):
    answer = {"refused": "no Ray cluster answers at x (refused).\nStart one"}
    monkeypatch.setattr(cluster, "ask", lambda *words, **options: answer)
    [found] = look_cluster(Question(address="x:1"))
    assert (found.state, found.cure) == ("FAIL", "Start one")


def test_a_cluster_that_hangs(monkeypatch):
    def hang(*words, **options):
        raise ProbeError("no answer within 240 s")

    monkeypatch.setattr(cluster, "ask", hang)
    [found] = look_cluster(Question(address="x:1"))
    assert "no answer" in found.seen


def test_no_address_is_no_question():
    assert list(look_cluster(Question())) == []


def test_a_machine_can_tell_of_itself():
    facts = node.facts()
    assert facts["versions"]["ray"]
    assert facts["importable"]
    assert facts["disk"] > 0


def test_a_storage_that_hangs_there_is_told_in_time(monkeypatch):
    given = {}
    monkeypatch.setattr("vaesearch.storage.folder_of", lambda where, **more: given.update(more))
    node.sees("s3://bucket", "token")
    assert 0 < given["patience"] <= NODE_SECONDS / 3


def test_a_machine_that_sees_another_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("vaesearch.storage.probe.PAUSE_SECONDS", 0.001)
    assert "sees another" in node.sees(str(tmp_path), "token")
