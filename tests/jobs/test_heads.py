"""Every reason not to talk to a head, from a head that misbehaves."""

import socket
import threading
from contextlib import contextmanager

import pytest

from vaesearch.errors import InputError
from vaesearch.jobs import asking, heads
from vaesearch.jobs.heads import find_head


def refused(url, **more):
    with pytest.raises(InputError) as caught:
        find_head(url, **more)
    text = str(caught.value)
    assert text.count("\n") == 1, text
    return text


@contextmanager
def speaking(words):
    """Something that listens, says ``words`` and hangs up; with None it says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ones = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                open_ones.append(connection)
                if words is not None:
                    connection.sendall(words)
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in open_ones:
                connection.close()


def test_a_head_without_a_token_on_this_machine(head):
    found = find_head(head.url)
    assert (found.url, found.ray_version, dict(found.headers)) == (head.url, head.ray_version, {})


def test_a_name_that_nobody_has(monkeypatch):
    def unknown(*words, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    assert "no machine is called 'nowhere'" in refused("http://nowhere:8265")


def test_a_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert f"nothing listens at 127.0.0.1:{port}" in refused(f"http://127.0.0.1:{port}")


def test_a_machine_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(asking.ask, "__kwdefaults__", {"method": "GET", "seconds": 0.2})
    with speaking(None) as port:
        assert "a firewall" in refused(f"http://127.0.0.1:{port}")


def test_a_port_of_ray_that_is_not_the_dashboard():
    with speaking(b"\0\0\x12\4\0\0\0") as port:
        assert "is no dashboard of a Ray head" in refused(f"http://127.0.0.1:{port}")


def test_another_server(head):
    for body in ("<html>hello</html>", "[]", "{}"):
        head.answers["/api/authentication_mode"] = (200, body)
        assert "is no dashboard of a Ray head" in refused(head.url)
    head.answers["/api/authentication_mode"] = (404, "nothing")
    head.answers["/api/version"] = (404, "nothing")
    assert "is no dashboard of a Ray head (status 404" in refused(head.url)


def test_https_where_there_is_none(head):
    assert "does not speak TLS" in refused(head.url.replace("http:", "https:"))


def test_a_head_older_than_tokens_is_judged_by_its_version(head):
    head.answers["/api/authentication_mode"] = (404, "")
    head.ray_version = "2.9.0"
    assert "runs Ray 2.9.0" in refused(head.url)
    assert find_head(head.url, other_versions=True).ray_version == "2.9.0"


def test_a_head_that_redirects_gets_no_token_there(locked, head):
    for path in ("/api/authentication_mode", "/api/version"):
        locked.answers = {path: (302, head.url + "/login?next=x")}
        text = refused(locked.url, environ={"RAY_AUTH_TOKEN": "s3cret"})
        assert f"redirects to {head.url}/login, " in text
    assert head.asked == []


def test_no_proxy_is_asked_for_this_machine(locked, head, monkeypatch):
    monkeypatch.setenv("http_proxy", head.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    find_head(locked.url, environ={"RAY_AUTH_TOKEN": "s3cret"})
    assert head.asked == []


def test_another_ray(head):
    head.ray_version = "2.59.1"
    assert "pip install 'ray[default]==2.59.1'" in refused(head.url)


def test_tokens(locked, tmp_path):
    assert "there is none in RAY_AUTH_TOKEN" in refused(locked.url, home=tmp_path)
    wrong = {"RAY_AUTH_TOKEN": "wrong"}
    assert "does not accept the token of RAY_AUTH_TOKEN" in refused(locked.url, environ=wrong)
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("s3cret\n")
    found = find_head(locked.url, environ={}, home=tmp_path)
    assert found.headers == {"Authorization": "Bearer s3cret"}
    assert found.wants_token
    assert "s3cret" not in repr(found)


def test_a_token_is_not_told_to_a_head_that_wants_none(head, tmp_path):
    notes = []
    find_head(head.url, environ={"RAY_AUTH_TOKEN": "s3cret"}, note=notes.append)
    assert "wants no token: that of RAY_AUTH_TOKEN is not sent" in notes[0]
    assert not any("s3cret" in str(headers) for *_, headers in head.asked)
    # The default file may be left from another cluster: nothing to be said of it.
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("s3cret")
    find_head(head.url, environ={}, home=tmp_path, note=notes.append)
    assert len(notes) == 1


def test_an_open_head_elsewhere_is_refused(head, locked, monkeypatch):
    monkeypatch.setattr(heads, "is_loopback", lambda host: False)
    text = refused(head.url)
    assert "whoever reaches that port can run code there" in text
    assert "--insecure" in text
    assert not find_head(head.url, insecure=True).wants_token
    assert find_head(locked.url, environ={"RAY_AUTH_TOKEN": "s3cret"}).url == locked.url


def test_a_proxy_before_the_head(locked, head):
    head.answers["/api/authentication_mode"] = (401, "who are you?")
    assert "RAY_JOB_HEADERS" in refused(head.url)
    environ = {"RAY_JOB_HEADERS": '{"Authorization": "Basic x"}', "RAY_AUTH_TOKEN": "s3cret"}
    locked.answers["/api/version"] = (200, {"ray_version": locked.ray_version})
    found = find_head(locked.url, environ=environ)
    assert found.headers == {"Authorization": "Basic x", "X-Ray-Authorization": "Bearer s3cret"}
    with pytest.raises(InputError, match="must be JSON"):
        find_head(head.url, environ={"RAY_JOB_HEADERS": "x"})
