"""A head that is asked without a token."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from ray.core.generated import gcs_service_pb2

from vaesearch.doctor import node
from vaesearch.doctor.asking_nodes import authentication


class Head(grpc.GenericRpcHandler):
    """Answers every question alike, and keeps what came with it."""

    def __init__(self, code):
        self._code, self.came = code, []

    def service(self, details):
        def answer(request, context):
            self.came += [name for name, _ in context.invocation_metadata()]
            if self._code is not None:
                context.abort(self._code, "no")
            return gcs_service_pb2.InternalKVGetReply().SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.mark.parametrize(
    ("code", "mode"),
    [
        (None, "disabled"),
        (grpc.StatusCode.UNAUTHENTICATED, "token"),
        (grpc.StatusCode.UNAVAILABLE, ""),
    ],
)
def test_the_head_says_whether_it_wants_a_token(code, mode, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # of ours, which says nothing of the head
    monkeypatch.setenv("RAY_AUTH_TOKEN", "s3cret")
    head, server = Head(code), grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((head,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert authentication(f"127.0.0.1:{port}") == mode
    finally:
        server.stop(None).wait()
    assert "authorization" not in head.came


def test_a_head_that_cannot_be_asked(monkeypatch):
    monkeypatch.setattr(node, "PATIENCE", 0.2)
    assert authentication("127.0.0.1:1") == ""
