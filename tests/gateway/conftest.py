import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.shop import BLUE, GREEN, PODS, Shop
from tests.load.servers import AppProcess
from tests.onprem.haproxy.proxy import Member, Members
from tests.ports import free_port, free_ports
from tests.standins.gateway.api import ApiServer
from tests.standins.gateway.install import install
from tests.standins.gateway.server import GatewayServer
from tests.standins.haproxy_process import haproxy_binary


@pytest.fixture(scope="session")
def api(cluster: Any) -> ApiServer:
    """An API server that has the Gateway API, and the class of our gateway."""
    install(cluster.kubeconfig)
    return ApiServer(cluster.kubeconfig)


@pytest.fixture(scope="session")
def pods() -> Iterator[dict[str, Member]]:
    """Tiny servers that remember the last request, by the address of their pod."""
    served = Members()
    ports = free_ports(len(PODS))
    yield {
        address: served.start(color, port)
        for (address, color), port in zip(PODS.items(), ports, strict=True)
    }
    served.stop()


@pytest.fixture(scope="session")
def haproxy() -> None:
    """What needs the gateway is skipped where its proxy is not."""
    if haproxy_binary() is None:
        pytest.skip("there is no haproxy on this machine (Debian: apt-get install haproxy)")


@pytest.fixture(scope="session")
def start_gateway(cluster: Any, haproxy: None) -> Iterator[Callable[..., GatewayServer]]:
    """Starts gateways, and ends them with the session."""
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> GatewayServer:
            # Not pytest's own directory: a socket's path may have 107 bytes only.
            folder = Path(tempfile.mkdtemp(prefix="bg-gateway-"))
            stack.callback(shutil.rmtree, folder)
            gateway = GatewayServer(cluster.kubeconfig, free_port(), folder, **options)
            return stack.enter_context(gateway)

        yield start


@pytest.fixture(scope="session")
def gateway(
    api: ApiServer, pods: dict[str, Member], start_gateway: Callable[..., GatewayServer]
) -> GatewayServer:
    """One for all namespaces; its pods are those of `pods`."""
    return start_gateway(
        addresses={address: f"127.0.0.1:{pod.port}" for address, pod in pods.items()}
    )


@pytest.fixture
def shop(api: ApiServer, namespace: str) -> Shop:
    """Both colors' Services with one ready endpoint each, and a Gateway; no route."""
    shop = Shop(api, namespace)
    shop.add_service("blue", [BLUE])
    shop.add_service("green", [GREEN])
    shop.add_gateway()
    return shop


@pytest.fixture(scope="module")
def apps() -> Iterator[dict[str, AppProcess]]:
    """The example application, a process for each pod's address."""
    with contextlib.ExitStack() as stack:
        started = {}
        for address in (BLUE, GREEN):
            started[address] = app = AppProcess(BLUEGREEN_COLOR=PODS[address].value)
            stack.callback(app.end)
            app.wait_until_listening()
        yield started
