"""Who has a port."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bluegreen.onprem.ports import holder_of, http_url, taken_by
from tests.ports import free_port


@pytest.fixture
def me():
    return f"pid {os.getpid()} ({Path('/proc/self/comm').read_text().strip()})"


def test_a_free_port_is_taken_by_nobody():
    port = free_port()

    assert taken_by(port) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_the_process_that_listens_is_named(address, me):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()

        assert taken_by(listener.getsockname()[1]) == me


def test_a_listener_on_another_address_is_not_in_the_way(me):
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen()
        port = listener.getsockname()[1]

        assert taken_by(port, "127.0.0.1") is None
        assert taken_by(port, "127.0.0.2") == me
        assert taken_by(port, "0.0.0.0") == me


def test_another_process_is_named_and_its_connections_left_behind_do_not_count():
    script = (
        "import socket, sys\n"
        "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True)\n"
        "c, _ = s.accept(); c.close(); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        port = int(other.stdout.readline())
        holder = taken_by(port)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert connection.recv(1) == b""
        other.stdin.close()
        other.wait(10)

    assert holder.startswith(f"pid {other.pid} (python")
    assert taken_by(port) is None


def test_a_port_that_is_bound_but_not_listened_on_is_taken(me):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))

        assert taken_by(holder.getsockname()[1]) is not None


def test_an_address_of_another_machine_is_not_taken():
    assert taken_by(18101, "192.0.2.1") is None


def test_a_port_of_a_host_name_is_that_of_its_address(me):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        holder = holder_of(listener.getsockname()[1], "localhost")

    assert holder is not None
    assert (holder.pid, str(holder)) == (os.getpid(), me)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("shop.example.org", "http://shop.example.org:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("0:0:0:0:0:0:0:0", "http://[::1]:8080"),
    ],
)
def test_an_address_is_written_as_clients_can_use_it(host, url):
    assert http_url(host, 8080) == url
