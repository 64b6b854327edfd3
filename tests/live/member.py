"""What a member of the live tests runs: nothing but Python 3.6, so that most images do."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        color, release = os.environ["BLUEGREEN_COLOR"], os.environ["BLUEGREEN_RELEASE"]
        body = json.dumps({"color": color, "version": release}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Bluegreen-Color", color)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Nobody reads it."""


class Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    host = os.environ.get("BLUEGREEN_TEST_HOST", "")
    Server((host, int(os.environ["PORT"])), Handler).serve_forever()
