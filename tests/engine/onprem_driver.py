"""The scenarios' driver for the on-premises platform."""

import contextlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit
from tests.engine.pulumi_stack import REPOSITORY, PulumiStack
from tests.engine.stack_driver import StackDriver
from tests.ports import free_ports

APP = REPOSITORY / "examples" / "onprem" / "app" / "app.py"
SLOTS = 4


def service_settings(first_port: int, name: str = "shop") -> dict[str, Any]:
    """A service whose every wait is short."""
    return {
        "name": name,
        "platform": "onprem",
        "port": first_port,
        "health_check": {
            "path": "/health/ready",
            # No shorter: a member that the engine's work holds up for a moment is not dead.
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "healthy_threshold": 1,
        },
        "gates": {
            "timeout_seconds": 12,
            "capacity": {"timeout_seconds": 10},
            "http": {"ready": {"path": "/health/ready", "interval_seconds": 0.05}},
            "release": {"path": "/version", "interval_seconds": 0.05, "timeout_seconds": 3},
        },
        "color_from": {"header": "X-Bluegreen-Color"},
        "follow": {"timeout_seconds": 5},
        "drain": {"timeout_seconds": 5, "stop_seconds": 5},
        "retention_hours": 0,
        "onprem": {
            "command": f"python3 {APP} --port {{port}}",
            "test_port": first_port + 1,
            "member_ports": {"blue": first_port + 2, "green": first_port + 2 + SLOTS},
            "slots": SLOTS,
        },
    }


class OnPremDriver(StackDriver):
    """Implements `tests.engine.driver.Driver`."""

    can_split = True
    sees_drift = True
    settle_seconds = 0.0

    def __init__(self, directory: Path, *, main: Path = REPOSITORY / "stacks") -> None:
        self.stack = PulumiStack(directory, main=main)
        self.port = free_ports(2 + 2 * SLOTS)[0]
        self.run_directory = RunDirectory(directory / ".bluegreen/run/shop/test/shop")
        self.configure("service", service_settings(self.port))

    def live(self) -> TrafficSplit | None:
        runtime = HaproxyRuntime(str(self.run_directory.stats_socket))
        value = runtime.map_value(str(self.run_directory.traffic_map), "shop")
        route = RoutedTraffic.of_service("shop").decode(value or "none,none,0")
        return route.split if route else None

    def ask(self, endpoint: str, count: int = 20) -> Counter[str]:
        port = {"production": self.port, "test": self.port + 1}[endpoint]
        answers = []
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(count):
                answers.append(client.get("/version"))
                # Each question is another client's: a canary keeps the color of one it knows.
                client.cookies.clear()
        return Counter(
            f"{answer.json()['color']} {answer.json()['version']}"
            if answer.is_success
            else str(answer.status_code)
            for answer in answers
        )

    def move_by_hand(self, active: str | None, percent: int = 0) -> None:
        value = "shop-purple"
        if active is not None:
            color = Color(active)
            split = TrafficSplit.with_canary(color, percent)
            value = RoutedTraffic.of_service("shop").encode(Route(color, split))
        runtime = HaproxyRuntime(str(self.run_directory.stats_socket))
        runtime.set_map(str(self.run_directory.traffic_map), "shop", value)

    def end_members(self, color: str) -> None:
        supervisord = Supervisord(self.run_directory.path)
        names = [name for name in supervisord.programs() if name.startswith(f"{color}-")]
        supervisord.take(*names)

    def events(self) -> list[dict[str, Any]]:
        journal = self.run_directory.journal
        return [json.loads(line) for line in journal.read_text().splitlines()]


@contextlib.contextmanager
def onprem_driver() -> Iterator[OnPremDriver]:
    """A driver in a short directory (sockets have long names else), gone with all it started."""
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    try:
        driver = OnPremDriver(directory)
        yield driver
    finally:
        end_everything(directory)


@contextlib.contextmanager
def two_services(program: Path) -> Iterator[tuple[PulumiStack, int]]:
    """A stack whose config has the services shop and store, blue 1.0 each; and shop's port."""
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    stack = PulumiStack(directory, main=program)
    width = 2 + 2 * SLOTS
    first = free_ports(2 * width)[0]
    for offset, name in ((0, "shop"), (width, "store")):
        stack.configure_in(name, "service", service_settings(first + offset, name))
        stack.configure_in(name, "active_color", "blue")
        stack.configure_in(name, "blue", {"release": "1.0", "replicas": 1})
    try:
        yield stack, first
    finally:
        end_everything(directory)


def end_everything(directory: Path) -> None:
    """Ends what a failed test left running, by what it wrote down itself."""
    for marker in directory.glob(".bluegreen/run/*/*/*/supervisor.sock"):
        with contextlib.suppress(Exception):
            Supervisord(marker.parent).remove()
    shutil.rmtree(directory, ignore_errors=True)
