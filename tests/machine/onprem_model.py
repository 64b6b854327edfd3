"""HAProxy, supervisord and the members in memory, under the real providers of the platform.

Files (map, flag, audit trail) are real. Each thing that lasts is one effect, and the world may look
or end the update between any two of them.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from pulumi import dynamic

from bluegreen.colors import Color
from bluegreen.gates.answers import Answer, UnusableAnswerError
from bluegreen.gates.gate import Endpoint
from bluegreen.onprem.haproxy_config import DEFAULT_PIN_HEADER
from bluegreen.onprem.haproxy_runtime import BackendState, ProxyNotRunningError, ServerState
from bluegreen.onprem.program import Program, ProgramState, ProgramStatus
from bluegreen.onprem.provider import LiveProvider, plain
from bluegreen.onprem.readiness import Candidate
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic

SERVICE = "shop"
TEST_PORT = 18443

__all__ = ["SERVICE", "Machine"]


@dataclass
class Member:
    """A process that supervisord was given."""

    program: Program
    is_ready: bool = False

    @property
    def mode(self) -> str:
        return self.program.environment.get("APP_MODE", "normal")

    @property
    def release(self) -> str:
        return self.program.environment["BLUEGREEN_RELEASE"]


@dataclass
class Machine:
    """The machine that a service runs on."""

    run: RunDirectory
    effects: list[str] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    has_supervisord: bool = False
    memory: str | None = None
    """What the proxy's map says."""

    drained: set[str] = field(default_factory=set)
    """The slots that the proxy was told to send nothing to; a restart forgets it."""

    is_proxy_up: bool = False
    next_pid: int = 100

    def effect(self, what: str) -> None:
        """Something that lasts has happened; the world replaces this."""

    def of(self, color: Color) -> list[Member]:
        return [each for name, each in sorted(self.members.items()) if name.startswith(color)]

    def start_proxy(self) -> None:
        """Comes up with what the file says."""
        self.memory = MapFile(self.run.traffic_map).read(SERVICE)
        self.drained.clear()
        self.is_proxy_up = True

    def let_time_pass(self) -> None:
        """Whoever can become ready does so between two commands."""
        for member in self.members.values():
            member.is_ready = member.mode != "never-ready"

    def answer(self, endpoint: Endpoint, _method: str, path: str, _seconds: float) -> Answer:
        """What a client gets."""
        if not self.is_proxy_up:
            raise UnusableAnswerError(f"{endpoint.url}: connection refused")
        pinned = endpoint.headers.get(DEFAULT_PIN_HEADER)
        color = Color(pinned) if pinned else self._production()
        ready = [each for each in self._balanced(color) if each.is_ready] if color else []
        if not ready:
            return Answer(503, b"nobody is there")
        headers = {"x-bluegreen-color": str(color)}
        if path == "/health/ready":
            return Answer(200, b"ready", headers)
        if ready[0].mode == "broken":
            return Answer(500, b"broken", headers)
        body = {"version": ready[0].release, "color": color}
        return Answer(200, json.dumps(body).encode(), headers)

    def _balanced(self, color: Color) -> list[Member]:
        return [
            each
            for name, each in sorted(self.members.items())
            if name.startswith(color)
            and f"{color}-{int(name.partition('-')[2]) + 1}" not in self.drained
        ]

    def _production(self) -> Color | None:
        backends = RoutedTraffic.of_service(SERVICE).backends
        name = (self.memory or NOTHING_IS_LIVE).partition(",")[0]
        return next((color for color in Color if backends[color] == name), None)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The library finds this machine where it would find a real one."""
        onprem = "bluegreen.onprem"
        with contextlib.ExitStack() as stack:
            for module in ("haproxy_router", "haproxy_data_plane", "process_fleet"):
                replaced = mock.patch(
                    f"{onprem}.{module}.HaproxyRuntime", return_value=Runtime(self)
                )
                stack.enter_context(replaced)
            for module in ("supervisor", "process_fleet", "process_service"):
                replaced = mock.patch(
                    f"{onprem}.{module}.Supervisord", lambda *args: MemorySupervisord(self, *args)
                )
                stack.enter_context(replaced)
            for name, replacement in {
                f"{onprem}.members.taken_by": lambda _: None,
                f"{onprem}.members.wait_until_ready": self._wait_until_ready,
                "bluegreen.gates.probe.ask": self.answer,
                "bluegreen.gates.data_plane.ask": self.answer,
                # The engine in memory waits for the outputs themselves.
                "bluegreen.gate_hooks.truth._SEND_SECONDS": 0,
                f"{onprem}.server_slots._POLL_SECONDS": 0,
            }.items():
                stack.enter_context(mock.patch(name, replacement))
            yield

    def _wait_until_ready(
        self, _supervisord: Any, candidates: Sequence[Candidate], _path: str, _seconds: float
    ) -> list[Candidate]:
        waiting = []
        for candidate in candidates:
            member = self.members[candidate.program.name]
            if member.mode == "never-ready":
                candidate.reason = "GET /health/ready answered 503"
                waiting.append(candidate)
                continue
            if not member.is_ready:
                member.is_ready = True
                self.effect(f"{candidate.program.name} is ready")
        return waiting


@dataclass
class Runtime:
    """`HaproxyRuntime` of the machine's proxy."""

    machine: Machine

    def map_value(self, _path: str, _key: str) -> str | None:
        self._see_that_it_is_up()
        return self.machine.memory

    def set_map(self, _path: str, _key: str, value: str) -> float:
        self._see_that_it_is_up()
        self.machine.effect(f"the file says {value}")
        self.machine.memory = value
        self.machine.effect(f"the proxy says {value}")
        return 0.5

    def settle_map(self, _path: str, _key: str, _value: str) -> int:
        return 0

    def backend(self, name: str) -> BackendState:
        self._see_that_it_is_up()
        members = self.machine.of(Color(name.removeprefix(f"{SERVICE}-")))
        return BackendState(servers_up=sum(each.is_ready for each in members), sessions=0)

    def servers(self, name: str) -> dict[str, ServerState]:
        self._see_that_it_is_up()
        found = {}
        for member, each in self.machine.members.items():
            color, _, index = member.partition("-")
            server = f"{color}-{int(index) + 1}"
            if name == f"{SERVICE}-{color}":
                is_up = each.is_ready and server not in self.machine.drained
                found[server] = ServerState(is_up=is_up, sessions=0)
        return found

    def drained_servers(self, name: str) -> list[str]:
        self._see_that_it_is_up()
        color = name.removeprefix(f"{SERVICE}-")
        return sorted(each for each in self.machine.drained if each.startswith(color))

    def set_server(self, _backend: str, server: str, *changes: str) -> None:
        self._see_that_it_is_up()
        if "state drain" in changes:
            self.machine.drained.add(server)
            self.machine.effect(f"{server} is drained")
        elif "state ready" in changes:
            self.machine.drained.discard(server)
            self.machine.effect(f"{server} is back")

    def _see_that_it_is_up(self) -> None:
        if not self.machine.is_proxy_up:
            raise ProxyNotRunningError("nobody listens at the proxy's socket")


class MemorySupervisord:
    """`Supervisord` of the machine."""

    def __init__(self, machine: Machine, run_directory: Path, owner: str | None = None) -> None:
        assert run_directory == machine.run.path, run_directory
        self.directory = run_directory
        self.owner = owner
        self.is_anothers = False
        self.is_open_to_others = False
        self._machine = machine

    def claim_problem(self, _formerly: str | None = None) -> None:
        return None

    def is_running(self) -> bool:
        return self._machine.has_supervisord

    def start(self, formerly: str | None = None) -> None:
        if not self._machine.has_supervisord:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._machine.has_supervisord = True
            self._machine.effect("supervisord runs")

    def find_programs(self) -> dict[str, ProgramState] | None:
        return self.programs() if self._machine.has_supervisord else None

    def programs(self) -> dict[str, ProgramState]:
        return {
            name: ProgramState(name, ProgramStatus.RUNNING, 100, member.program.digest, "")
            for name, member in self._machine.members.items()
        }

    def names(self) -> list[str]:
        return sorted(self._machine.members)

    def program_of(self, state: ProgramState) -> Program | None:
        return self._machine.members[state.name].program

    def left_behind(self) -> dict[str, int]:
        return {}

    def put(self, *programs: Program) -> list[str]:
        present = self._machine.members
        fresh = [
            each
            for each in programs
            if each.name not in present or present[each.name].program.digest != each.digest
        ]
        self.take(*(each.name for each in fresh if each.name in present))
        for each in fresh:
            present[each.name] = Member(each)
            self._machine.effect(f"{each.name} is started")
        return [each.name for each in fresh]

    def take(self, *names: str) -> None:
        for name in names:
            if self._machine.members.pop(name, None) is not None:
                self._machine.effect(f"{name} is ended")

    def log_of(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def log_tail(self, _name: str, _since: int = 0) -> str:
        return ""


@dataclass
class ProxyProvider(LiveProvider):
    """In the place of the one that starts a real HAProxy."""

    machine: Machine

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult("proxy", self._start(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        self.computed = ("stats_socket", "map_path", "production_url", "test_url")
        is_lost = MapFile(self.machine.run.traffic_map).read(SERVICE) is None
        is_drift = not self.machine.is_proxy_up or is_lost
        return dynamic.DiffResult(changes=self.has_new_inputs(olds, news) or is_drift)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        return dynamic.ReadResult(id_, plain(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(self._start(news))

    def _start(self, props: Mapping[str, Any]) -> dict[str, Any]:
        machine = self.machine
        file = MapFile(machine.run.traffic_map)
        if file.read(SERVICE) is None:
            file.write(SERVICE, machine.memory or NOTHING_IS_LIVE)
        machine.start_proxy()
        machine.effect("the proxy is started")
        return plain(props) | {
            "stats_socket": str(machine.run.stats_socket),
            "map_path": str(machine.run.traffic_map),
            "production_url": "http://127.0.0.1:18080",
            "test_url": f"http://127.0.0.1:{TEST_PORT}",
        }
