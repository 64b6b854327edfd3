"""A shop that takes orders, for the gates that ask more than whether it is there.

What it does wrong comes from its environment:
ORDERS=broken answers orders without an id, FLAGS is the JSON of its feature flags.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COLOR = os.environ.get("BLUEGREEN_COLOR", "none")
RELEASE = os.environ.get("BLUEGREEN_RELEASE", "none")
FLAGS = json.loads(os.environ.get("FLAGS", '{"new_checkout": false}'))
PASSWORD = "hunter2-engine"
TOKEN = "ey-token-of-the-engine"


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        pages: dict[str, Any] = {
            "/": {"color": COLOR},
            "/health/ready": "ready",
            "/version": {"version": RELEASE, "color": COLOR},
            "/health/dependencies": {"database": {"status": "healthy"}},
            "/debug/feature-flags": FLAGS,
        }
        if self.path == "/profile":
            self.say(200 if self.is_known else 401, {"name": "smoke"} if self.is_known else {})
        else:
            self.say(200 if self.path in pages else 404, pages.get(self.path))

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.path == "/login":
            good = content == {"user": "smoke", "password": PASSWORD}
            self.say(200 if good else 403, {"access_token": TOKEN} if good else {"sent": content})
        elif not self.is_known:
            self.say(401, {})
        elif os.environ.get("ORDERS") == "broken":
            self.say(201, {"orderId": None, "seen": dict(self.headers)})
        else:
            self.say(201, {"orderId": "o-1"})

    @property
    def is_known(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {TOKEN}"

    def say(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Bluegreen-Color", COLOR)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
