"""moto as it is, in a process of its own: what the cloud's patches are there for."""

import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.ports import free_port
from tests.standins.aws_cloud.account import Account


class PlainMoto:
    """Has of `Cloud` what a `Shop` needs."""

    def __init__(self) -> None:
        self.port = free_port()
        self._clients: dict[str, Any] = {}
        self._account = Account(self.client, "us-east-1")

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with suppress(OSError):
                self.reset()
                break
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()
        self._process.terminate()
        self._process.wait(10)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=self.endpoint,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def reset(self) -> None:
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()
        self._account = Account(self.client, "us-east-1")

    def vpc(self) -> str:
        return self._account.vpc

    def subnets(self) -> list[str]:
        return self._account.subnets

    def security_group(self) -> str:
        return self._account.security_group

    def load_balancer(self) -> str:
        return self._account.load_balancer

    def certificate(self) -> str:
        return self._account.certificate

    def image(self) -> str:
        return self._account.image
