"""The gateway's processes begin and end with what has started them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.shop import BLUE, Shop, ask, backend, to, weights
from tests.gateway.waiting import eventually
from tests.onprem.haproxy.proxy import Member
from tests.ports import free_port
from tests.standins.gateway.server import GatewayServer
from tools.cluster.cluster import OwnCluster

ROOT = Path(__file__).parents[2]

ABANDON = """
import os, signal, sys
from pathlib import Path
from tests.standins.gateway.server import GatewayServer
gateway = GatewayServer(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).start()
print(gateway.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def started(
    shop: Shop, pods: dict[str, Member], start_gateway: Callable[..., GatewayServer]
) -> GatewayServer:
    places = {address: f"127.0.0.1:{pod.port}" for address, pod in pods.items()}
    return start_gateway(namespace=shop.namespace, addresses=places)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_there(pid: int) -> bool:
    try:
        # Of a process that nobody has waited for yet, the status is a zombie's.
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_stop_leaves_nobody_at_the_port(started: GatewayServer) -> None:
    assert ask(started.port).status == 404

    started.stop()

    assert not listens(started.port)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_proxy_ends_with_its_controller(started: GatewayServer, number: int) -> None:
    assert started.pid is not None
    os.kill(started.pid, number)

    eventually(lambda: listens(started.port), lambda found: not found)


def test_both_end_with_the_process_that_has_started_them(
    haproxy: None, cluster: Any, shop: Shop
) -> None:
    with tempfile.TemporaryDirectory(prefix="bg-") as folder:
        port = free_port()
        arguments = [str(cluster.kubeconfig), str(port), folder]
        done = subprocess.run(
            [sys.executable, "-c", ABANDON, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL

        eventually(lambda: is_there(int(done.stdout)), lambda found: not found)
        assert not listens(port)


def test_a_taken_port_is_said(haproxy: None, cluster: Any) -> None:
    with socket.socket() as taken, tempfile.TemporaryDirectory(prefix="bg-") as folder:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        second = GatewayServer(cluster.kubeconfig, port, Path(folder))

        with pytest.raises(AssertionError, match=r"(?s)haproxy did not start.*cannot bind"):
            second.start()


def test_a_gateway_that_comes_later_serves_what_is_there(
    shop: Shop, started: GatewayServer
) -> None:
    shop.serve(started, to(*weights(blue=100, green=0)))
    generation = shop.set_rules(to(*weights(blue=0, green=100)))
    started.wait_applied(shop.namespace, "shop", generation)
    started.stop()

    started.start()
    started.wait_endpoints(shop.namespace, "shop-green")

    assert ask(started.port, Host=shop.host).body == "green"


def test_traffic_goes_on_without_the_api_server_and_follows_it_again_afterwards(
    own_cluster: OwnCluster, shop: Shop, started: GatewayServer
) -> None:
    shop.serve(started, to(*weights(blue=100, green=0)))
    own_cluster.stop_api_server()
    try:
        without = [ask(started.port, Host=shop.host).body for _ in range(50)]
    finally:
        own_cluster.start_api_server()
    generation = shop.set_rules(to(*weights(blue=0, green=100)))
    started.wait_applied(shop.namespace, "shop", generation)

    assert without == ["blue"] * 50
    assert ask(started.port, Host=shop.host).body == "green"


def test_a_gateway_for_one_namespace_serves_no_other(
    shop: Shop, start_gateway: Callable[..., GatewayServer], pods: dict[str, Member]
) -> None:
    places = {BLUE: f"127.0.0.1:{pods[BLUE].port}"}
    other = start_gateway(namespace="default", addresses=places)
    everywhere = start_gateway(addresses=places)
    shop.serve(everywhere, to(backend("shop-blue")))

    answers = [ask(each.port, Host=shop.host).status for each in (everywhere, other)]

    assert answers == [200, 404]


def test_a_wrong_address_map_is_refused_in_one_line() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "tests.standins.gateway", "--map", "198.51.100.1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].endswith("is not of the form ADDRESS=HOST:PORT")
