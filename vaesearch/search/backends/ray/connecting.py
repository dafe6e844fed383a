"""Joining a cluster or starting one; what would take Ray minutes to find out is asked first."""

import json
import logging
import os
import platform
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import ray
from ray._private.authentication.authentication_token_setup import (
    maybe_enable_token_auth_if_token_available,
)
from ray._private.grpc_utils import init_grpc_channel
from ray._private.services import resolve_ip_for_localhost
from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc
from ray.exceptions import AuthenticationError, RayError

from vaesearch.errors import InputError, VaesearchError

CONNECT_SECONDS = 10.0
ADDRESS_VARIABLE = "RAY_ADDRESS"  # set for the driver of a job that was submitted to a cluster
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}


def connect(address: str | None, workers: int | None) -> bool:
    """Join the cluster at ``address`` or start one here; True if it was started.

    Without an address a process that runs inside of a cluster, as a submitted job does, joins that
    one. ``local`` always starts one here.

    Raises:
        InputError: no cluster that this process can work with.
    """
    if ray.is_initialized():
        return False
    where = target(address)
    if where is None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Workers beyond the cores are allowed when asked for: they then share them.
        cores = max(workers or 0, os.cpu_count() or 1)
        _start(cores)
        return True
    found = check(where)
    try:
        with _own_signals():
            ray.init(address=found, **_QUIET)
    except AuthenticationError as error:
        raise _wrong_token(where) from error
    # Ray raises what it likes, a bare Exception as well.
    except Exception as error:
        raise no_cluster(where, _first_line(error)) from error
    return False


def _start(cores: int) -> None:
    """A cluster of this machine alone.

    Raises:
        VaesearchError: Ray's processes are not up in the time that it gives them.
    """
    try:
        with _own_signals():
            ray.init(address="local", num_cpus=cores, include_dashboard=False, **_QUIET)
    except Exception as error:  # a bare one where the machine is too busy
        ray.shutdown()
        raise VaesearchError(
            f"Ray did not start on this machine ({_first_line(error)}).\n"
            "Try again when the machine is less busy, or use --backend local."
        ) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray aborts the process on SIGTERM unless who took care of it before does so again."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def reachable() -> Iterator[None]:
    """Say it in words where the cluster is gone while Ray is asked inside.

    A driver behind ray:// gets a ConnectionError or a bare Exception from any call then; one that
    is part of the cluster is ended by Ray.

    Raises:
        VaesearchError: with how to go on.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ConnectionError | RayError) or type(error) is Exception:
            raise VaesearchError(
                f"the Ray cluster does not answer any more ({_first_line(error)}).\n"
                "What was finished is kept: start a cluster, then `vaesearch resume RUN_DIR`."
            ) from error
        raise


def target(address: str | None) -> str | None:
    """The address to join; None to start a cluster here.

    Raises:
        InputError: an address of the dashboard, where jobs are submitted.
    """
    if address == "local":
        return None
    given = os.environ.get(ADDRESS_VARIABLE, "")
    if address in (None, "auto") and given and not given.startswith("http"):
        return None if given == "local" else given
    if address == "auto" and given:
        address = given
    if address is not None and address.startswith("http"):
        raise InputError(
            f"--address {address} is a dashboard, which takes jobs: `vaesearch submit --address "
            f"{address} -- bandit ...`.\nTo join the cluster from here give HOST:6379 or ray://"
            "HOST:10001."
        )
    return address


def check(address: str) -> str:
    """The address as Ray understands it, once a head of our versions has answered there.

    Raises:
        InputError: a wrong address, token or version; or nothing listens.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        if address == "auto":
            return address
        raise no_cluster(address, "that is no HOST:PORT")
    host = _listening(address, host or "127.0.0.1", int(port))
    if address.startswith("ray://"):
        return f"ray://{host}:{port}"  # says itself what is wrong, and soon
    where = f"{host}:{port}"
    _compare(address, _metadata(address, where))
    return where


def _listening(address: str, host: str, port: int) -> str:
    """The host under which the port answers.

    Ray takes the loopback for the machine's own address, so that a head that listens on the
    loopback alone would not be found; 0.0.0.0 leads there and is left as it is.
    """
    reasons = []
    for place in dict.fromkeys((resolve_ip_for_localhost(host), host)):
        try:
            socket.create_connection((place, port), CONNECT_SECONDS).close()
        except OSError as error:
            reasons.append(error.strerror or str(error))
            continue
        return "0.0.0.0" if place in ("127.0.0.1", "localhost") else place
    raise no_cluster(address, reasons[-1])


def _metadata(address: str, where: str) -> dict[str, str]:
    """What the head says of itself."""
    try:
        return _asked(where)
    except AuthenticationError as error:
        raise _wrong_token(address) from error
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            raise no_cluster(address, "what listens there is no head of Ray") from error
    # The head wants a token. Ray looks for one by itself only where it finds the head by itself.
    if maybe_enable_token_auth_if_token_available(warn_if_disabled=False):
        try:
            return _asked(where)
        except grpc.RpcError as error:
            raise _wrong_token(address) from error
    raise _wrong_token(address)


def _asked(where: str) -> dict[str, str]:
    channel = init_grpc_channel(where)
    try:
        stub = gcs_service_pb2_grpc.InternalKVGcsServiceStub(channel)
        request = gcs_service_pb2.InternalKVGetRequest(
            namespace=b"cluster", key=b"CLUSTER_METADATA"
        )
        reply = stub.InternalKVGet(request, timeout=CONNECT_SECONDS)
    finally:
        channel.close()
    found: dict[str, str] = json.loads(reply.value or b"{}")
    return found


def _compare(address: str, metadata: dict[str, str]) -> None:
    """Ray works only between equal versions of itself and of Python."""
    theirs = metadata.get("ray_version"), metadata.get("python_version")
    ours = ray.__version__, platform.python_version()
    if None in theirs or theirs == ours:
        return
    raise InputError(
        f"the cluster at {address} has Ray {theirs[0]} on Python {theirs[1]}, this process Ray "
        f"{ours[0]} on Python {ours[1]}: they must be equal.\n"
        f"Install `ray[default]=={theirs[0]}` on Python {theirs[1]} here, or submit the search to "
        f"the cluster: `vaesearch submit`. {_from_variable(address)}".rstrip()
    )


def no_cluster(address: str, reason: str) -> InputError:
    """An error for an address where no cluster can be joined."""
    cure = "Start one with `ray start --head`, or leave --address out to use this machine."
    return InputError(
        f"no Ray cluster answers at {address} ({reason}).\n{_from_variable(address) or cure}"
    )


def _from_variable(address: str) -> str:
    """What to do where nobody gave the address but the environment; empty where somebody did."""
    if os.environ.get(ADDRESS_VARIABLE) != address:
        return ""
    return f"{ADDRESS_VARIABLE} is set: unset it or give --address local."


def _wrong_token(address: str) -> InputError:
    return InputError(
        f"the Ray cluster at {address} wants a token, and the one given here is missing or "
        "wrong.\nPut the token of its head into ~/.ray/auth_token or RAY_AUTH_TOKEN, and set "
        f"RAY_AUTH_MODE=token. {_from_variable(address)}".rstrip()
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
