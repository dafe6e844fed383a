"""A head that speaks as Ray's does over HTTP, and misbehaves on demand."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version


class FakeHead:
    """Answers on a free port of this machine while it is entered.

    What it says may be changed at any time: ``mode``, ``token``, ``ray_version``, ``jobs`` (what
    Ray tells of each), ``logs``, and ``answers``: (status, body) by path, in place of all that.
    """

    def __init__(self, mode="disabled", token="s3cret"):
        self.mode, self.token = mode, token
        self.ray_version = version("ray")
        self.jobs, self.logs, self.answers = {}, {}, {}
        self.asked = []  # (method, path, headers)
        self.on_stop = lambda job: job.update(status="STOPPED", end_time=2000)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, name, **more):
        """A job of ours."""
        metadata = {
            "vaesearch": "1", "command": "vaesearch bandit", "run_dir": "/runs/x", "user": "me",
        }  # fmt: skip
        self.jobs[name] = {
            "submission_id": name, "status": "RUNNING", "entrypoint": "exec python",
            "start_time": 1000, "end_time": None, "message": "", "metadata": metadata,
            "driver_exit_code": None,
        } | more  # fmt: skip

    def _reply(self, method, path, headers):
        self.asked.append((method, path, headers))
        if path in self.answers:
            return self.answers[path]
        if path == "/api/authentication_mode":
            return 200, {"authentication_mode": self.mode}
        if self.mode == "token":
            given = headers.get("authorization") or headers.get("x-ray-authorization")
            if given != f"Bearer {self.token}":
                return (403 if given else 401), "no"
        if path == "/api/version":
            return 200, {"version": "4", "ray_version": self.ray_version}
        if path == "/api/jobs/":
            return 200, list(self.jobs.values())
        name, _, action = path.removeprefix("/api/jobs/").partition("/")
        if name not in self.jobs:
            return 404, f"Job {name} does not exist"
        if action == "logs":
            return 200, {"logs": self.logs.get(name, "")}
        if action == "stop":
            self.on_stop(self.jobs[name])
            return 200, {"stopped": True}
        return 200, self.jobs[name]

    def _handler(fake):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, body = fake._reply(self.command, self.path, headers)
                text = body if isinstance(body, str) else json.dumps(body)
                self.send_response(status)
                if 300 <= status < 400:  # the body is where to
                    self.send_header("Location", text)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *words):
                pass

        return Handler
