"""A stack on this machine: HAProxy, supervisord, and members as processes."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.stack import ROOT, SERVICE, BenchmarkError, Stack, directory_of_stack
from bluegreen.colors import Color
from bluegreen.errors import BlueGreenError
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from tests.ports import free_ports

__all__ = ["OnPremStack", "stack_of", "stack_settings"]

_SLOTS = 4


def stack_settings(first_port: int) -> dict[str, Any]:
    """The same config for every program: everything is written, since a plain one has no defaults.

    Gates and verification are on, with short pauses: their time is taken off again.
    """
    app = ROOT / "examples" / "onprem" / "app" / "app.py"
    ask = {"consecutive": 3, "interval_seconds": 0.05, "timeout_seconds": 10}
    service = {
        "name": SERVICE,
        "platform": "onprem",
        "port": first_port,
        "health_check": {
            "path": "/health/ready",
            "interval_seconds": 2.0,
            "timeout_seconds": 1.0,
            "healthy_threshold": 2,
            "unhealthy_threshold": 3,
        },
        "gates": {
            "release": {"path": "/version", **ask},
            "http": {"ready": {"path": "/health/ready", **ask}},
        },
        "color_from": {"header": "X-Bluegreen-Color"},
        "drain": {"timeout_seconds": 5, "stop_seconds": 5},
        "retention_hours": 0,
        "onprem": {
            "command": f"python3 {app} --port {{port}}",
            "test_port": first_port + 1,
            "member_ports": {"blue": first_port + 2, "green": first_port + 2 + _SLOTS},
            "slots": _SLOTS,
            "start_timeout_seconds": 60,
            "run_directory": "run",
        },
    }
    return {
        "active_color": "blue",
        "service": service,
        "blue": {"release": "1.0", "replicas": 2},
        "green": {"release": "1.1", "replicas": 2},
    }


class OnPremStack(Stack):
    """One program and what it has deployed on this machine."""

    def __init__(self, program: Path, directory: Path) -> None:
        self._first_port = free_ports(2 + 2 * _SLOTS)[0]
        self._route: dict[str, Any] = {}
        super().__init__(program, directory, stack_settings(self._first_port))

    def configure_members(self, *words: str) -> None:
        """Adds words to the command of every member."""
        command = self._settings["service"]["onprem"]["command"]
        self.configure("service.onprem.command", " ".join([command, *words]))

    @property
    def production_url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self._first_port}"

    @property
    def run_directory(self) -> RunDirectory:
        """Sockets and map of the running service."""
        return RunDirectory(self._directory / "run")

    def member_ports(self, color: Color) -> list[int]:
        """Where the members of a color listen."""
        first: int = self._settings["service"]["onprem"]["member_ports"][color]
        replicas: int = self._settings[str(color)]["replicas"]
        return list(range(first, first + replicas))

    @property
    def route(self) -> Mapping[str, Any]:
        """What the state said of the route after the last switch."""
        return self._route

    def write_ms(self) -> float:
        """Milliseconds of the last write, as the provider measured them."""
        return float(self._route["write_ms"])

    def _check_switched(self, color: Color) -> None:
        flag = json.loads((self._directory / "run" / "active.json").read_text(encoding="utf-8"))
        before, self._route = self._route, self._recorded_route()
        if flag["color"] != color or self._route["written_at"] == before.get("written_at"):
            msg = f"an update to {color} left {flag['color']} active; its time says nothing"
            raise BenchmarkError(msg)

    def remove(self) -> None:
        """Destroys everything, by force where that fails; then nothing of it may be left."""
        self._destroy()
        run = self._directory / "run"
        if run.exists():
            with contextlib.suppress(BlueGreenError):
                Supervisord(run).remove()
        last = self._first_port + 2 + 2 * _SLOTS
        holders = [taken_by(port) for port in range(self._first_port, last)]
        if left := [holder for holder in holders if holder]:
            msg = f"still there: {', '.join(sorted(set(left)))}; end it by hand"
            raise BenchmarkError(msg)


@contextlib.contextmanager
def stack_of(program: Path) -> Iterator[OnPremStack]:
    """A stack of a program, gone in the end with all it started."""
    with directory_of_stack() as directory:
        stack = OnPremStack(program, directory)
        try:
            yield stack
        finally:
            stack.remove()
