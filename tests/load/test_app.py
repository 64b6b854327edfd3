import json
import signal
import socket
import time

import pytest

from tests.load.servers import AppProcess, eventually


def ask(connection: socket.socket, path: str) -> None:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: app\r\n\r\n".encode())


def read_answer(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096) or pytest.fail(f"the connection ended after {data!r}")
    return data.decode()


def open_connection(app: AppProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", app.port), timeout=5)


def test_every_answer_names_color_and_release(start_app):
    app = start_app(BLUEGREEN_COLOR="green", BLUEGREEN_RELEASE="1.1")

    for path in (
        "/",
        "/version",
        "/health/ready",
        "/health/dependencies",
        "/slow?ms=1",
        "/nothing",
    ):
        _, headers, _ = app.get(path)
        assert (headers["x-bluegreen-color"], headers["x-bluegreen-release"]) == ("green", "1.1")


def test_every_answer_says_whether_the_application_should_have_been_asked(start_app):
    ready, cold = start_app(), start_app("--warm-up", "60")

    for path in ("/", "/health/ready", "/nothing"):
        assert ready.get(path)[1]["x-bluegreen-condition"] == "ready"
        assert cold.get(path)[1]["x-bluegreen-condition"] == "warming up"


def test_the_pages_say_what_they_promise(start_app):
    app = start_app()

    assert app.get("/")[::2] == (200, "blue 1.0\n")
    assert json.loads(app.get("/version")[2]) == {"version": "1.0", "color": "blue"}
    assert json.loads(app.get("/health/dependencies")[2]) == {"database": {"status": "healthy"}}
    assert app.get("/nothing")[0] == 404
    assert app.get("/", method="POST")[0] == 405
    assert app.get("/", method="HEAD")[::2] == (200, "")


@pytest.mark.parametrize("text", ["-1", "x", "60001", "1.5"])
def test_a_wait_that_is_no_sensible_number_is_refused(start_app, text):
    assert start_app().get(f"/slow?ms={text}")[0] == 400


def test_a_slow_page_takes_as_long_as_asked_and_holds_up_nobody_else(start_app):
    app = start_app()
    with open_connection(app) as slow:
        start = time.monotonic()
        ask(slow, "/slow?ms=3000")
        assert app.get("/")[0] == 200
        assert time.monotonic() - start < 2.5
        assert read_answer(slow).startswith("HTTP/1.1 200 ")

    assert time.monotonic() - start >= 0.8


def test_a_request_sent_before_the_last_one_was_answered_waits_its_turn(start_app):
    app = start_app()
    with open_connection(app) as connection:
        ask(connection, "/slow?ms=200")
        time.sleep(0.05)
        ask(connection, "/version")
        text = ""
        while "version" not in text:
            text += connection.recv(4096).decode()

    assert text.index("after 200 ms") < text.index("version")


def test_it_is_ready_once_it_is_warmed_up(start_app):
    app = start_app("--warm-up", "0.5")

    assert app.get("/health/ready")[0] == 503
    assert app.get("/")[0] == 200
    assert eventually(lambda: app.get("/health/ready")[0] == 200, seconds=3)


def test_mode_slow_adds_200_ms_to_everything(start_app):
    app = start_app("--mode", "slow")

    for path in ("/", "/health/ready"):
        start = time.monotonic()
        assert app.get(path)[0] == 200
        assert 0.2 <= time.monotonic() - start < 5


def test_mode_broken_is_ready_and_answers_500_to_everything_else(start_app):
    app = start_app("--mode", "broken")

    assert app.get("/health/ready")[0] == 200
    for path in ("/", "/version", "/health/dependencies", "/slow?ms=1"):
        status, headers, _ = app.get(path)
        assert (status, headers["x-bluegreen-color"]) == (500, "blue")


def test_mode_never_ready_works_but_is_not_ready(start_app):
    app = start_app(APP_MODE="never-ready")

    assert app.get("/")[0] == 200
    assert app.get("/health/ready")[0] == 503


def test_the_option_wins_over_the_environment(start_app):
    app = start_app("--mode", "normal", APP_MODE="never-ready")

    assert app.get("/health/ready")[0] == 200


@pytest.mark.parametrize(
    ("options", "environment"), [(["--mode", "fast"], {}), ([], {"APP_MODE": "fast"})]
)
def test_an_unknown_mode_is_one_line_and_nothing_is_served(options, environment):
    app = AppProcess(*options, **environment)
    try:
        out, err = app.process.communicate(timeout=10)
    finally:
        app.end()

    assert (app.process.returncode, out) == (2, "")
    assert err == ("mode 'fast' is none of normal, slow, broken, never-ready; nothing is served\n")


def test_sigterm_finishes_what_is_under_way_and_loses_nothing(start_app):
    app = start_app()
    with open_connection(app) as slow, open_connection(app) as kept:
        ask(kept, "/")
        assert "Connection: keep-alive" in read_answer(kept)
        # Longer than an idle connection is kept while draining.
        ask(slow, "/slow?ms=1400")
        time.sleep(0.1)

        app.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: app.get("/health/ready")[0] == 503, seconds=0.5)
        ask(kept, "/")

        answer = read_answer(kept)
        assert answer.startswith("HTTP/1.1 200 ")
        assert "Connection: close" in answer
        assert kept.recv(1) == b""
        assert app.process.poll() is None, "it must not end before the slow request"
        answer = read_answer(slow)
        assert answer.startswith("HTTP/1.1 200 ")
        assert "Connection: close" in answer
    assert app.process.wait(4) == 0


def test_sigterm_without_connections_ends_at_once(start_app):
    app = start_app("--grace", "60")

    app.process.send_signal(signal.SIGTERM)

    assert app.process.wait(10) == 0


def test_an_idle_connection_does_not_use_up_the_grace(start_app):
    app = start_app("--grace", "60")
    with open_connection(app) as idle:
        ask(idle, "/")
        read_answer(idle)
        app.process.send_signal(signal.SIGTERM)

        assert app.process.wait(10) == 0


def test_a_request_longer_than_the_grace_does_not_hold_up_the_end(start_app):
    app = start_app("--grace", "0.3")
    with open_connection(app) as slow:
        ask(slow, "/slow?ms=20000")
        time.sleep(0.1)
        app.process.send_signal(signal.SIGTERM)

        assert app.process.wait(10) == 0


def test_a_taken_port_is_one_line_and_status_1(start_app):
    first = start_app()
    second = AppProcess(port=first.port)
    try:
        out, err = second.process.communicate(timeout=10)
    finally:
        second.end()

    assert (second.process.returncode, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert f"cannot listen on 127.0.0.1:{first.port}: Address already in use" in err
    assert first.get("/")[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_it_cannot_read_is_refused_and_the_connection_closed(start_app, data):
    with open_connection(start_app()) as connection:
        connection.sendall(data)

        answer = read_answer(connection)

        assert answer.startswith("HTTP/1.1 400 ")
        assert "Connection: close" in answer
