"""The application in our images answers as the one of the on-premises example."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cluster.objects import PATIENCE_SECONDS
from tests.ports import free_port, free_ports
from tools.cluster.binaries import image_programs
from tools.cluster.processes import wait_until
from tools.engine.go_build import UnavailableError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "onprem" / "app" / "app.py"
SAME_HEADERS = (
    *("Content-Type", "Content-Length"),
    *("X-Bluegreen-Color", "X-Bluegreen-Release", "X-Bluegreen-Condition"),
)
REQUESTS = [
    *("GET /", "HEAD /", "POST /", "GET /version", "GET /nowhere"),
    *("GET /health/ready", "GET /health/dependencies", "GET /stats"),
    *("GET /slow", "GET /slow?ms=3", "GET /slow?ms=soon", "GET /slow?ms=-1", "GET /slow?ms=60001"),
]


@pytest.fixture(scope="module")
def shop() -> Path:
    try:
        return image_programs() / "shop"
    except UnavailableError as error:
        pytest.skip(f"no images: {error}")


@contextmanager
def running(command: list[str | Path], **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "BLUEGREEN_COLOR": "green",
        "BLUEGREEN_RELEASE": '1.2 "beta"',
        **variables,
    }
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def listens(address: str) -> bool:
    try:
        httpx.get(address)
    except httpx.TransportError:
        return False
    return True


def answers(address: str) -> Mapping[str, object]:
    """What each request is answered, on fresh connections: the counts must be the same too."""
    found: dict[str, object] = {}
    for request in REQUESTS:
        method, path = request.split()
        answer = httpx.request(method, f"{address}{path}")
        headers = {name: answer.headers.get(name) for name in SAME_HEADERS}
        found[request] = (answer.status_code, answer.text, headers)
    return found


@pytest.mark.parametrize("mode", ["normal", "slow", "broken", "never-ready"])
def test_both_answer_the_same(shop: Path, mode: str):
    ports = free_ports(2)
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    of_example = [sys.executable, EXAMPLE, "--port", str(ports[0])]
    with ExitStack() as stack:
        stack.enter_context(running(of_example, APP_MODE=mode))
        stack.enter_context(running([shop], APP_MODE=mode, PORT=str(ports[1])))
        for address in addresses:
            wait_until(lambda: listens(address), PATIENCE_SECONDS)  # noqa: B023

        expected, found = map(answers, addresses)

    assert found == expected
    assert len(found) == len(REQUESTS)


def test_it_warms_up_when_told_to(shop: Path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running([shop], APP_WARM_UP_SECONDS="3600", PORT=str(port)):
        wait_until(lambda: listens(address), PATIENCE_SECONDS)

        ready = httpx.get(f"{address}/health/ready")
        alive = httpx.get(f"{address}/health/live")

    assert (ready.status_code, ready.text) == (503, "warming up\n")
    assert (alive.status_code, alive.text) == (200, "alive\n")


def test_it_ends_at_once_or_goes_on_for_as_long_as_it_is_told(shop: Path):
    at_once, drains = free_ports(2)
    with (
        running([shop], PORT=str(at_once)) as first,
        running([shop], APP_DRAIN_SECONDS="3600", PORT=str(drains)) as second,
        httpx.Client(base_url=f"http://127.0.0.1:{drains}") as kept,
    ):
        for port in (at_once, drains):
            wait_until(lambda: listens(f"http://127.0.0.1:{port}"), PATIENCE_SECONDS)  # noqa: B023
        assert "Connection" not in kept.get("/").headers

        for process in (first, second):
            process.send_signal(signal.SIGTERM)

        assert first.wait(PATIENCE_SECONDS) == 0
        wait_until(lambda: kept.get("/health/ready").status_code == 503, PATIENCE_SECONDS)
        last = kept.get("/")
        assert (last.text, last.headers["Connection"]) == ('green 1.2 "beta"\n', "close")
        assert second.poll() is None


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("APP_MODE", "fast", 'mode "fast" is none of normal, slow, broken, never-ready'),
        ("APP_DRAIN_SECONDS", "soon", 'APP_DRAIN_SECONDS is "soon" and must be seconds'),
        ("APP_WARM_UP_SECONDS", "-1", 'APP_WARM_UP_SECONDS is "-1" and must be seconds'),
    ],
)
def test_a_setting_it_does_not_know_is_one_clear_line(
    shop: Path, variable: str, value: str, said: str
):
    done = subprocess.run(
        [shop], env={variable: value}, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)
    assert line.endswith("nothing is served")
