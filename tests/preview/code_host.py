"""A server on this machine that speaks the comments' part of GitHub's and of GitLab's API."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 3
"""Entries a page, whatever is asked for: paging is to be seen with few of them."""


class CodeHost(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments = {}
        self.token = "token"
        self.requests = []
        self.faults = []
        """Answers that are given first: (status, headers)."""

        self.is_read_only = False
        self.vanishing = set()
        """Comments that are gone when they are edited."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, *bodies):
        for body in bodies:
            number = len(self.comments) + 1
            self.comments[number] = {"id": number, "body": body, "system": False}
        return number


class _Handler(BaseHTTPRequestHandler):
    server: CodeHost

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        self.server.requests.append((self.command, parts.path))
        if self.server.faults:
            self._answer(*self.server.faults.pop(0))
        elif self._may():
            self._do(parts, body)

    def _may(self):
        given = (self.headers.get("authorization", ""), self.headers.get("private-token", ""))
        if self.server.token not in (given[0].removeprefix("Bearer "), given[1]):
            self._answer(401, {}, {"message": f"bad credentials {given}"})
            return False
        if self.command != "GET" and self.server.is_read_only:
            self._answer(403, {}, {"message": "Resource not accessible by integration"})
            return False
        return True

    def _do(self, parts, body):
        if self.command == "GET":
            return self._page(parts)
        text = json.loads(body)["body"]
        if len(text) > 65_536:
            return self._answer(422, {}, {"message": "body is too long"})
        if self.command == "POST":
            return self._answer(201, {}, self.server.comments[self.server.add(text)])
        number = int(parts.path.rsplit("/", 1)[-1])
        if number in self.server.vanishing or number not in self.server.comments:
            return self._answer(404, {}, {"message": "Not Found"})
        self.server.comments[number]["body"] = text
        return self._answer(200, {}, self.server.comments[number])

    def _page(self, parts):
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        found = list(self.server.comments.values())
        shown = found[(page - 1) * PAGE : page * PAGE]
        is_last = page * PAGE >= len(found)
        headers = {"x-next-page": "" if is_last else str(page + 1)}
        if not is_last:
            following = f"{self.server.url}{parts.path}?per_page=100&page={page + 1}"
            headers["link"] = f'<{following}>; rel="next"'
        self._answer(200, headers, shown)

    def _answer(self, status, headers, content=None):
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

    def log_message(self, *_):
        """Says nothing."""


@contextmanager
def code_host() -> Iterator[CodeHost]:
    with CodeHost() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def edited_path(path: str) -> bool:
    """Whether a path names one comment."""
    return bool(re.search(r"/(comments|notes)/\d+$", path))
