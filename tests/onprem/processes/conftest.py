"""A supervisord of its own for each test, and the certainty that nothing of it stays behind."""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bluegreen.onprem import orphans
from bluegreen.onprem.supervisord import Supervisord

SERVER = """
import http.server, json, os, pathlib, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_ready = not pathlib.Path(os.environ.get("UNREADY", "/nonexistent")).exists()
        self.send_response(200 if is_ready else 503)
        self.end_headers()
        self.wfile.write(json.dumps({**os.environ, "PID": os.getpid()}).encode())

    def log_message(self, *_):
        pass

time.sleep(float(os.environ.get("SLOW", "0")))
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def scratch():
    # The paths of pytest's own tmp_path are too long for a unix socket.
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def supervisord(scratch):
    supervisord = Supervisord(scratch / "run")
    yield supervisord
    supervisord.remove()
    assert processes_of(scratch) == []


@pytest.fixture
def server(scratch):
    """The command of a small HTTP server, to be followed by its port."""
    script = scratch / "server.py"
    script.write_text(SERVER)
    return f"{sys.executable} -S -E {script}"


@pytest.fixture
def wait_for():
    def wait(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)
        return found

    return wait


@pytest.fixture
def kill_daemon(supervisord, wait_for):
    """Kills supervisord as the kernel does when memory is short."""

    def kill():
        pid = supervisord.pid()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not orphans.is_alive(pid))

    return kill


def processes_of(scratch):
    """Processes whose command line or environment names the directory."""
    needle, found = os.fsencode(scratch), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue
        if int(process.name) != os.getpid() and any(needle in text for text in texts):
            found.append(int(process.name))
    return found
