import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.aws_cloud.shop import Shop
from tests.load.servers import free_port
from tests.standins.aws_cloud.cloud import Cloud
from tests.standins.haproxy_process import haproxy_binary


@pytest.fixture(scope="session")
def running_cloud() -> Iterator[Cloud]:
    if haproxy_binary() is None:
        pytest.skip("there is no haproxy on this machine (Debian: apt-get install haproxy)")
    with Cloud(stop_seconds=1.0) as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: Cloud) -> Cloud:
    """Empty: nobody has used it."""
    running_cloud.reset()
    return running_cloud


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    """Both colors' target groups behind one listener; no instances."""
    return Shop(cloud)


@pytest.fixture(scope="session")
def plain_moto() -> Iterator[Any]:
    """moto as it is, in a process of its own: makes clients."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _Plain(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


class _Plain:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        return self._clients.setdefault(service, boto3.client(service))
