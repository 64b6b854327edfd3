"""A service on an engine, a proxy and processes in memory; everything that decides is real."""

import base64
import contextlib
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import dill  # type: ignore[import-untyped]
import pulumi
from pulumi.dynamic import ResourceProvider

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.onprem import ProcessService, ProcessServiceArgs
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic
from bluegreen.settings import ServiceConfig
from bluegreen.traffic import Route, TrafficSplit
from tests.engine.pulumi_stack import Result
from tests.machine.engine import Killed, MemoryEngine, MemoryStack
from tests.machine.observed import Fleet, Seen, Wanted, wrongs
from tests.machine.onprem_model import SERVICE, Machine, ProxyProvider
from tests.unit.written import FakeSource

__all__ = ["ModelWorld"]

TRAFFIC = RoutedTraffic.of_service(SERVICE)
PROXY = "pulumi-python:dynamic/onprem:LocalHaproxy"

FAST = {
    "name": SERVICE,
    "health_check": {"path": "/health/ready"},
    "gates": {
        "timeout_seconds": 1,
        "capacity": {"timeout_seconds": 0.01},
        "http": {
            "ready": {"path": "/health/ready", "consecutive": 1, "timeout_seconds": 0.01},
            "slow-check": {
                "path": "/version",
                "consecutive": 1,
                "timeout_seconds": 0.01,
                "slow": True,
            },
        },
        "release": {"consecutive": 1, "timeout_seconds": 0.01},
    },
    "color_from": {"header": "X-Bluegreen-Color"},
    "follow": {"timeout_seconds": 0.01, "consecutive": 1},
    "drain": {"timeout_seconds": 1, "stop_seconds": 1},
    "retention_hours": 0,
    "onprem": {"command": "serve --port {port}", "slots": 4},
}


@functools.cache
def _provider(reference: str) -> ResourceProvider:
    """The provider that a resource brings along, as Pulumi's own host loads it."""
    loaded: ResourceProvider = dill.loads(base64.b64decode(reference))
    return loaded


def _color(text: object) -> Color | None:
    return Color(text) if text in set(Color) else None


class ModelWorld:
    """Implements `tests.machine.world.World`."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {}
        self.directory = Path(tempfile.mkdtemp(prefix="bg-"))
        run = RunDirectory(self.directory / ".bluegreen/run/shop/test/shop")
        self._machine = Machine(run)
        self._machine.effect = self.instant  # type: ignore[method-assign]
        self._stack = MemoryStack(self, str(self.directory))
        self._proxy = ProxyProvider(self._machine)
        self._wanted: Wanted | None = None
        self._last = self.seen()
        self._found: list[str] = []
        self._left: int | None = None
        self.instants: list[str] = []
        self.configure("service", FAST)

    def close(self) -> None:
        shutil.rmtree(self.directory)

    # What the engine asks of its surroundings.

    def provider(self, registered: Any) -> ResourceProvider:
        if registered.type == PROXY:
            return self._proxy
        properties = getattr(registered, "inputs", None) or registered.outputs
        return _provider(properties["__provider"])

    def sends_outputs(self, engine: MemoryEngine) -> bool:
        has_urls = "shop-haproxy" in engine.recording.by_name
        return has_urls and self._machine.is_proxy_up and self._is_readable()

    def instant(self, what: str) -> None:
        """Looks at everything; ends the update when its time has come."""
        if self._wanted is None:
            return
        now = self.seen()
        self._found += [f"{what}: {each}" for each in wrongs(self._last, now, self._wanted)]
        self.instants.append(what)
        self._last = now
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed(what)

    # What a user does.

    def configure(self, key: str, value: Any) -> None:
        first, *rest = key.split(".")
        place, parts = self.config, [first, *rest]
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(parts[-1], None)
        else:
            place[parts[-1]] = json.loads(json.dumps(value))

    def up(self, wanted: Wanted | None, kill_at: int | None = None, **environment: str) -> Result:
        self._machine.let_time_pass()
        self._wanted, self._left, self._last, self.instants = wanted, kill_at, self.seen(), []
        try:
            with self._in_place(environment):
                return self._stack.up(self._program)
        except Killed as killed:
            return Result(-9, "", f"killed {killed}", 0.0)
        finally:
            self._wanted = None
            # Said here and not where it is seen: that is somewhere within the program.
            assert not self._found, self._found

    def preview(self, **environment: str) -> Result:
        with self._in_place(environment):
            return self._stack.preview(self._program)

    def refresh(self) -> Result:
        with self._in_place({}):
            return self._stack.refresh()

    def cancel(self) -> None:
        self._stack.cancel()

    def move_by_hand(self, active: Color | None, percent: int = 0) -> None:
        self._machine.memory = (
            TRAFFIC.encode(Route(active, TrafficSplit.with_canary(active, percent)))
            if active
            else "shop-purple"
        )

    def end_members(self, color: Color) -> None:
        for name in [name for name in self._machine.members if name.startswith(color)]:
            del self._machine.members[name]

    def restart_proxy(self) -> None:
        self._machine.start_proxy()

    def stop_proxy(self) -> None:
        self._machine.is_proxy_up = False

    def damage_flag(self) -> None:
        self._machine.run.active_flag.write_text('{"color": ')

    # What can be seen.

    @property
    def is_running(self) -> bool:
        return self._machine.is_proxy_up

    def outputs(self) -> dict[str, Any]:
        return self._stack.outputs

    def recorded(self) -> tuple[Color | None, dict[Color, tuple[str, int]]]:
        """Who is active in the state, and what each color has there."""
        by_name = {each.name: each.outputs for each in self._stack.resources.values()}
        active = by_name.get("shop-route", {}).get("active_color")
        fleets = {
            color: (found["release"], int(found["replicas"]))
            for color in Color
            if (found := by_name.get(f"shop-{color}-members")) is not None
        }
        return Color(active) if active else None, fleets

    def seen(self) -> Seen:
        flag = self._flag()
        return Seen(
            live=self._live(),
            fleets={color: self._fleet(color) for color in Color},
            flag=_color(flag.get("color")),
            previous=_color(flag.get("previous")),
        )

    def events(self) -> list[dict[str, Any]]:
        journal = self._machine.run.journal
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [json.loads(line) for line in lines]

    def is_readable(self) -> bool:
        return self._is_readable()

    def _is_readable(self) -> bool:
        try:
            return TRAFFIC.decode(self._machine.memory or NOTHING_IS_LIVE) is not None
        except DataPlaneError:
            return False

    def _live(self) -> Route | None:
        """While the proxy is down, what it will come back with."""
        machine = self._machine
        file = MapFile(machine.run.traffic_map).read(SERVICE)
        try:
            return TRAFFIC.decode(
                (machine.memory if machine.is_proxy_up else file) or NOTHING_IS_LIVE
            )
        except DataPlaneError:
            return None

    def _fleet(self, color: Color) -> Fleet:
        members = self._machine.of(color)
        return Fleet(
            releases=frozenset(each.release for each in members),
            members=len(members),
            ready=sum(each.is_ready for each in members),
        )

    def _flag(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._machine.run.active_flag.read_text())
        except (OSError, ValueError):
            return {}
        return found

    @contextlib.contextmanager
    def _in_place(self, environment: dict[str, str]) -> Iterator[None]:
        with self._machine.in_place(), mock.patch.dict(os.environ, environment):
            yield

    @property
    def _program(self) -> Callable[[], None]:
        def program() -> None:
            config = ServiceConfig.load(FakeSource(self.config))
            service = ProcessService(SERVICE, ProcessServiceArgs(config=config))
            for name, value in service.stack_outputs().items():
                pulumi.export(name, value)

        return program
