"""As much of Google Cloud Storage's JSON interface as its driver asks for, on this machine."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class GoogleStore(ThreadingHTTPServer):
    """Objects by name; every bucket is there but ``missing``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects, self.generation, self.lock = {}, 0, threading.Lock()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, name, content, *, only_new):
        """What is known of the new object; None if it is not new and should be."""
        with self.lock:
            if only_new and name in self.objects:
                return None
            self.generation += 1
            self.objects[name] = (content, self.generation)
            return self.about(name)

    def about(self, name):
        content, generation = self.objects[name]
        bucket, _, key = name.partition("/")
        return {
            "kind": "storage#object", "name": key, "bucket": bucket, "size": str(len(content)),
            "generation": str(generation), "etag": str(generation),
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def _asked(self):
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        _, _, rest = split.path.partition("/b/")
        bucket, _, key = rest.partition("/o")
        return unquote(bucket), unquote(key.lstrip("/")), query

    def _answer(self, status, content=b"", kind="application/json"):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status, text):
        self._answer(status, {"error": {"code": status, "message": text}})

    def do_POST(self):
        bucket, _, query = self._asked()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if bucket == "missing":
            return self._refuse(404, "The specified bucket does not exist.")
        head, _, rest = body.partition(b"\n\n")[2].partition(b"\n--==0==")
        content = rest.partition(b"\n\n")[2].removesuffix(b"\n--==0==--")
        name = f"{bucket}/{json.loads(head)['name']}"
        only_new = query.get("ifGenerationMatch") == "0"
        about = self.server.put(name, content, only_new=only_new)
        return self._answer(200, about) if about else self._refuse(412, "conditionNotMet")

    def do_GET(self):
        bucket, key, query = self._asked()
        if bucket == "missing":
            return self._refuse(404, "The specified bucket does not exist.")
        if not key:
            return self._list(bucket, query)
        if f"{bucket}/{key}" not in self.server.objects:
            return self._refuse(404, f"No such object: {bucket}/{key}")
        if query.get("alt") == "media":
            return self._answer(200, self.server.objects[f"{bucket}/{key}"][0], "binary/data")
        return self._answer(200, self.server.about(f"{bucket}/{key}"))

    def _list(self, bucket, query):
        start = f"{bucket}/{query.get('prefix', '')}"
        names = sorted(name for name in self.server.objects if name.startswith(start))
        self._answer(200, {"items": [self.server.about(name) for name in names]})

    def do_DELETE(self):
        bucket, key, _ = self._asked()
        there = self.server.objects.pop(f"{bucket}/{key}", None)
        return self._answer(204) if there else self._refuse(404, "No such object")
