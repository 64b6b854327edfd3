"""The state machines' worlds on the real engine and the on-premises platform."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import yaml

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.members import live_members
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic
from bluegreen.traffic import Route
from tests.engine.command import Typed, in_process, typed
from tests.engine.onprem_driver import SLOTS, OnPremDriver, onprem_driver
from tests.engine.pulumi_stack import Result
from tests.machine.observed import Fleet, Seen, Wanted
from tests.machine.world import KILLED

__all__ = ["CommandEngineWorld", "EngineWorld", "TypedEngineWorld"]

SECONDS = 30.0
TRAFFIC = RoutedTraffic.of_service("shop")


class EngineWorld:
    """Implements `tests.machine.world.World`; looks before and after an update, not within it."""

    def __init__(self) -> None:
        self._exit = contextlib.ExitStack()
        self._recorded: tuple[Color | None, dict[Color, tuple[str, int]]] | None = None
        self._driver: OnPremDriver = self._exit.enter_context(onprem_driver())
        self.configure("service.onprem.start_timeout_seconds", 8)
        gate = {"path": "/version", "slow": True, "interval_seconds": 0.05, "timeout_seconds": 3}
        self.configure("service.gates.http", {"slow-check": gate})

    def close(self) -> None:
        self._exit.close()

    def configure(self, key: str, value: Any) -> None:
        # As a person writes it: YAML knows no colors.
        self._driver.configure(key, json.loads(json.dumps(value)))

    def up(self, wanted: Wanted | None, kill_at: int | None, **environment: str) -> Result:
        self._recorded = None
        with contextlib.nullcontext() if kill_at is None else self._watched(kill_at):
            result = self._driver.stack.up(**environment)
        if result.exit_code == KILLED:
            eventually(lambda: not own_plugins(self._driver.stack.directory))
        return without_components(replace(result, stderr=refusals(result.text)))

    def preview(self, **environment: str) -> Result:
        return without_components(self._driver.stack.preview(**environment))

    def refresh(self) -> Result:
        self._recorded = None
        return self._driver.refresh()

    def cancel(self) -> None:
        # Nothing to cancel is an error for the command line.
        self._driver.stack.run("cancel", "--yes")

    def move_by_hand(self, active: Color | None, percent: int) -> None:
        self._driver.move_by_hand(active, percent)

    def end_members(self, color: Color) -> None:
        if self._supervisord.is_running():
            self._driver.end_members(color)

    def restart_proxy(self) -> None:
        state = self._supervisord.programs().get("haproxy")
        if state is None or state.pid is None:
            return
        before = state.pid
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self._proxy_pid() not in {None, before} and self._answers())

    def stop_proxy(self) -> None:
        self._supervisord.take("haproxy")

    def damage_flag(self) -> None:
        self._driver.run_directory.active_flag.write_text('{"color": ')

    def outputs(self) -> dict[str, Any]:
        return self._driver.outputs()

    def recorded(self) -> tuple[Color | None, dict[Color, tuple[str, int]]]:
        if self._recorded is None:
            self._recorded = self._read_state()
        return self._recorded

    def _read_state(self) -> tuple[Color | None, dict[Color, tuple[str, int]]]:
        resources = self._driver.stack.resources()
        by_name = {each["urn"].split("::")[-1]: each.get("outputs", {}) for each in resources}
        active = by_name.get("shop-route", {}).get("active_color")
        fleets = {
            color: (found["release"], int(found["replicas"]))
            for color in Color
            if (found := by_name.get(f"shop-{color}-members"))
        }
        return Color(active) if active else None, fleets

    def seen(self) -> Seen:
        flag = read_json(self._driver.run_directory.active_flag)
        return Seen(
            live=self._live(),
            fleets={color: self._fleet(color) for color in Color},
            flag=color_of(flag.get("color")),
            previous=color_of(flag.get("previous")),
        )

    def events(self) -> list[dict[str, Any]]:
        return self._driver.events() if self._driver.run_directory.journal.exists() else []

    def _watched(self, kill_at: int) -> contextlib.AbstractContextManager[Any]:
        """Ends the engine when its log of the update has more lines than that."""
        stack = self._driver.stack
        start = stack.start

        def started(*words: str, **environment: str) -> subprocess.Popen[str]:
            process = start(*words, **environment)
            log = Path(words[words.index("--event-log") + 1])
            watch = threading.Thread(target=kill_in_time, args=(process, log, kill_at))
            watch.start()
            return process

        return mock.patch.object(stack, "start", started)

    @property
    def _supervisord(self) -> Supervisord:
        return Supervisord(self._driver.run_directory.path)

    @property
    def _runtime(self) -> HaproxyRuntime:
        return HaproxyRuntime(str(self._driver.run_directory.stats_socket))

    def _proxy_pid(self) -> int | None:
        state = self._supervisord.programs().get("haproxy")
        return state.pid if state else None

    def _answers(self) -> bool:
        try:
            self._runtime.worker_pid()
        except DataPlaneError:
            return False
        return True

    def _live(self) -> Route | None:
        """While the proxy is down, what it will come back with."""
        path = self._driver.run_directory.traffic_map
        try:
            value = self._runtime.map_value(str(path), "shop")
        except DataPlaneError:
            value = MapFile(path).read("shop") if path.exists() else None
        try:
            return TRAFFIC.decode(value or NOTHING_IS_LIVE)
        except DataPlaneError:
            return None

    def _fleet(self, color: Color) -> Fleet:
        first = self._driver.port + 2 + (0 if color is Color.BLUE else SLOTS)
        members = live_members(self._supervisord, color, range(first, first + SLOTS))
        return Fleet(
            releases=frozenset(each.release or "unknown" for each in members),
            members=len(members),
            ready=sum(is_ready(each.port) for each in members),
        )


class CommandEngineWorld(EngineWorld):
    """Implements `tests.machine.command_world.CommandWorld`; nothing is killed here."""

    def __init__(self) -> None:
        self.wants: Callable[[Mapping[str, str]], Wanted] | None = None
        super().__init__()

    def bluegreen(self, *words: str, kill_at: int | None = None) -> Typed:
        """In this process, which saves its start."""
        del kill_at
        self._recorded = None
        stack = self._driver.stack
        where = ("--cwd", str(stack.directory), "-s", stack.name)
        return in_process(words[0], *where, *words[1:], **stack.environment)

    def config_text(self) -> str:
        return self._driver.stack.config_file.read_text()

    def read_config(self) -> dict[str, Any]:
        content = yaml.safe_load(self.config_text())["config"]
        return {name.partition(":")[2]: each for name, each in content.items()}


class TypedEngineWorld(CommandEngineWorld):
    """The same with the command itself, as it is typed; only `status` is asked in process."""

    def bluegreen(self, *words: str, kill_at: int | None = None) -> Typed:
        if words[0] == "status":
            return super().bluegreen(*words)
        self._recorded = None
        return typed(self._driver.stack, *words)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def color_of(text: object) -> Color | None:
    return Color(text) if text in set(Color) else None


def read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def without_components(result: Result) -> Result:
    """A component comes and goes with what is in it."""
    components = {"shop", "shop-blue", "shop-green"}
    return replace(
        result,
        steps=tuple(step for step in result.steps if step.name not in components),
        planned=tuple(step for step in result.planned if step.name not in components),
    )


def refusals(text: str) -> str:
    """The errors of a command's output, each to the empty line that ends it."""
    found = re.findall(r"error: (.*?)(?:\n\s*\n|\Z)", text, re.DOTALL)
    return "\n".join(dict.fromkeys(found))


def kill_in_time(process: subprocess.Popen[str], log: Path, kill_at: int) -> None:
    while process.poll() is None:
        if events_of_update(log) > kill_at:
            os.killpg(process.pid, signal.SIGKILL)
            return
        time.sleep(0.01)


def events_of_update(log: Path) -> int:
    """How many steps of the update itself were begun or done; the preview is no step."""
    count = 0
    for line in log.read_text().splitlines() if log.exists() else []:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            body = event.get("resourcePreEvent") or event.get("resOutputsEvent")
            count += body is not None and not body.get("planning")
    return count


def own_plugins(directory: Path) -> list[int]:
    """Processes that a killed engine left behind and that have not noticed it yet."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (place / "environ").read_bytes()
            command = (place / "cmdline").read_bytes()
            is_ours = f"PULUMI_HOME={directory}".encode() in environment
            if is_ours and b"pulumi" in command and b"supervisor" not in command:
                found.append(int(place.name))
    return found


def eventually(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < end, f"not within {SECONDS} s"
        time.sleep(0.05)
