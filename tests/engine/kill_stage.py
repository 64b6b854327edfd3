"""A service under load whose updates are killed, and what must be true of it afterwards."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad, LoadPlan, Recording
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.program import ProgramStatus
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile
from bluegreen.traffic import TrafficSplit
from tests.engine.kill_matrix import Kill
from tests.engine.onprem_driver import APP, OnPremDriver
from tests.engine.pulumi_stack import Result

__all__ = ["KilledUpdate", "Stage", "load_plan", "not_ready_answers"]

_POINTS = Path(__file__).with_name("kill_points")
_READY = "ready"
_WARM_UP_SECONDS = 0.6
_MEMBERS = 2
# An orphan of the engine gets 2 s for what it is doing.
_ORPHAN_SECONDS = 20.0
_FILES = {
    ".bluegreen-run-directory",
    ".lock",
    "active.json",
    "events.jsonl",
    "haproxy.cfg",
    "haproxy.sock",
    "launch.py",
    "master.sock",
    "supervisor.sock",
    "supervisord.conf",
    "supervisord.log",
    "supervisord.pid",
    "traffic.map",
    "traffic.map.lock",
}


@dataclass(frozen=True)
class Process:
    pid: int
    group: int
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid}: {self.command}"


@dataclass(frozen=True)
class KilledUpdate:
    """What a killed update left at that moment."""

    killed_at: str | None
    """The point, as the process that passed it wrote it down; None when none did."""

    result: Result
    locks: tuple[Path, ...]
    orphans: tuple[Process, ...]

    def describe(self) -> None:
        """For whoever looks at a run with -s."""
        print(f"\nkilled at: {self.killed_at}")
        for lock in self.locks:
            print(f"  lock: {lock.name}")
        for orphan in self.orphans:
            print(f"  left behind: {orphan}")


def load_plan(port: int) -> LoadPlan:
    """A steady load that also notes in which condition the member was that answered."""
    return LoadPlan(
        url=f"http://127.0.0.1:{port}/",
        rate=150,
        seconds=900,
        connections=32,
        release_header="X-Bluegreen-Condition",
    )


def not_ready_answers(recording: Recording) -> int:
    """Answers of members that were warming up or draining, or would not say."""
    return sum(request.release != _READY for request in recording if request.status)


class Stage:
    """One stack for many cases: each turns the roles of the colors round.

    One update deploys a new release to the idle color, switches to it, and retires the other.
    """

    def __init__(self, driver: OnPremDriver) -> None:
        self.driver = driver
        self.new, self.old = Color.BLUE, Color.GREEN
        self._releases = {Color.BLUE: "1.0", Color.GREEN: "0.9"}
        self._turns = 1
        self._checks = 1
        self._removed = False
        self.is_clean = False
        self._trace = driver.stack.directory / "trace"
        command = f"python3 {APP} --port {{port}} --warm-up {_WARM_UP_SECONDS}"
        driver.configure("service.onprem.command", command)
        self.want_all()

    def want_all(self) -> None:
        """Configures both colors: the new one active, the old one retired."""
        for color in Color:
            self.driver.configure(color, {"release": self._releases[color], "replicas": _MEMBERS})
        self.driver.configure("active_color", str(self.new))
        retired = {"color": str(self.old), "release": self._releases[self.old]}
        self.driver.configure("retired", retired)
        self._removed = False

    def turn(self) -> None:
        """Configures the mirror image, with another new release."""
        self.is_clean = False
        self._turns += 1
        self.new, self.old = self.old, self.new
        self._releases[self.new] = f"{self._turns}.0"
        self.want_all()

    def want_old_back(self) -> None:
        """Configures the old color at full capacity, idle."""
        self.is_clean = False
        self.driver.configure("retired", None)

    def want_no_old(self) -> None:
        """Configures that the old color is removed."""
        self.driver.configure("retired", None)
        self.driver.configure(self.old, None)
        self._removed = True

    def want_another_proxy_config(self) -> None:
        """Configures other health checks than before."""
        self.is_clean = False
        self._checks += 1
        interval = 0.2 if self._checks % 2 else 0.25
        self.driver.configure("service.health_check.interval_seconds", interval)

    def recorded_up(self) -> tuple[Result, list[str]]:
        """An update that nobody kills, and the points that it passed."""
        self._trace.unlink(missing_ok=True)
        result = self.driver.up(**self._environment())
        return result, self._trace.read_text().splitlines()

    def killed_up(self, kill: Kill) -> KilledUpdate:
        """An update that is killed."""
        seen = self.driver.stack.directory / "killed-at"
        seen.unlink(missing_ok=True)
        also = {"BLUEGREEN_KILL_ALSO": "process"} if kill.with_process else {}
        result = self.driver.up(
            **self._environment(),
            **also,
            BLUEGREEN_KILL_AT=kill.point,
            BLUEGREEN_KILL_SEEN=str(seen),
        )
        return KilledUpdate(
            killed_at=seen.read_text() if seen.exists() else None,
            result=result,
            locks=tuple(self._locks()),
            orphans=tuple(self.engine_processes()),
        )

    def cancel(self) -> Result:
        """What the message about the lock tells the user to type."""
        return self.driver.stack.run("cancel", "--yes")

    def preview(self) -> Result:
        return self.driver.preview()

    def load(self) -> BackgroundLoad:
        return BackgroundLoad(load_plan(self.driver.port))

    def pending_operations(self) -> list[dict[str, Any]]:
        """What the state says was under way when an update ended."""
        exported = self.driver.stack.run("stack", "export", "--stack", self.driver.stack.name)
        return json.loads(exported.stdout)["deployment"].get("pending_operations") or []

    def pending_kinds(self) -> set[str]:
        return {operation["type"] for operation in self.pending_operations()}

    def clear_pending_creates(self) -> Result:
        """The way out of them where nobody can be asked."""
        return self.driver.stack.run("refresh", "--yes", "--clear-pending-creates")

    def wanted_split(self) -> TrafficSplit:
        return TrafficSplit.all_to(self.new)

    def wanted_releases(self) -> dict[str, str]:
        colors = [self.new] if self._removed else list(Color)
        return {str(color): self._releases[color] for color in sorted(colors)}

    def wanted_answers(self) -> dict[str, int]:
        return {f"{self.new} {self._releases[self.new]}": 20}

    def engine_processes(self) -> list[Process]:
        """What runs of this stack's command line, language host, program and provider."""
        home = self.driver.stack.environment["PULUMI_HOME"]
        return list(_processes_with(f"PULUMI_HOME={home}"))

    def wait_for_orphans(self) -> list[Process]:
        """Those that are still there after the time that an orphan has."""
        return _after_waiting(self.engine_processes)

    def unwanted_processes(self) -> list[Process]:
        """What was started for the service and is none of the programs that it is to have."""
        return _after_waiting(self._unwanted)

    def programs(self) -> dict[str, ProgramStatus]:
        states = self._supervisord().programs()
        return {name: state.status for name, state in states.items()}

    def wanted_programs(self) -> dict[str, ProgramStatus]:
        members = [f"{self.new}-{index}" for index in range(_MEMBERS)]
        return dict.fromkeys([*members, "haproxy"], ProgramStatus.RUNNING)

    def surprises_in_run_directory(self) -> list[str]:
        """Files that are missing, too many or damaged."""
        return sorted(
            [*self._wrong_files(), *self._damaged_files(), *self._what_the_map_says_otherwise()]
        )

    def switches_recorded(self) -> int:
        """How often the audit trail has the switch of this turn."""
        wanted = f"100 % {self.new} {self._releases[self.new]}"
        events = self.driver.events()
        return sum(each["kind"] == "switch" and each["to_split"] == wanted for each in events)

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(_POINTS),
            "BLUEGREEN_KILL_TRACE": str(self._trace),
            "BLUEGREEN_KILL_ROLES": f"{self.new}=new,{self.old}=old",
            "BLUEGREEN_KILL_RUN": str(self.driver.run_directory.path),
        }

    def _locks(self) -> Iterator[Path]:
        return (self.driver.stack.state / ".pulumi" / "locks").rglob("*.json")

    def _supervisord(self) -> Supervisord:
        return Supervisord(self.driver.run_directory.path)

    def _unwanted(self) -> list[Process]:
        run = self.driver.run_directory.path
        groups = {state.pid for state in self._supervisord().programs().values()}
        started = _processes_with(f"SUPERVISOR_SERVER_URL=unix://{run}/supervisor.sock")
        conf = str(run / "supervisord.conf")
        daemons = [each for each in _processes() if conf in each.command]
        wanted = self._supervisord().pid()
        return [
            *(each for each in started if each.group not in groups),
            *(each for each in daemons if each.pid != wanted),
        ]

    def _wrong_files(self) -> Iterator[str]:
        run = self.driver.run_directory.path
        found = {str(path.relative_to(run)) for path in run.rglob("*") if not path.is_dir()}
        wanted = set(_FILES)
        for name, state in self._supervisord().programs().items():
            wanted |= {f"programs/{name}.conf", f"programs/{name}.{state.digest}.json"}
            wanted |= {f"processes/{name}.json"}
        # Logs stay, for whoever wants to know why something ended.
        for file in sorted(found ^ wanted):
            if not file.startswith("logs/"):
                yield f"{'too many' if file in found else 'missing'}: {file}"

    def _damaged_files(self) -> Iterator[str]:
        run = self.driver.run_directory
        texts = {str(path): path.read_text() for path in run.path.rglob("*.json")}
        lines = run.journal.read_text().splitlines()
        texts |= {f"line {number} of the journal": line for number, line in enumerate(lines, 1)}
        for name, text in texts.items():
            try:
                json.loads(text)
            except ValueError as error:
                yield f"damaged: {name}: {error}"
        if json.loads(run.active_flag.read_text())["color"] != self.new:
            yield f"not {self.new}: the active flag"

    def _what_the_map_says_otherwise(self) -> Iterator[str]:
        run = self.driver.run_directory
        runtime = HaproxyRuntime(str(run.stats_socket))
        in_memory = runtime.map_value(str(run.traffic_map), "shop")
        in_file = MapFile(run.traffic_map).read("shop")
        if in_memory != in_file:
            yield f"the map says {in_file} in its file and {in_memory} in memory"


def _after_waiting(find: Callable[[], list[Process]]) -> list[Process]:
    end = time.monotonic() + _ORPHAN_SECONDS
    while (found := find()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _processes_with(variable: str) -> Iterator[Process]:
    for process in _processes():
        try:
            environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if variable.encode() in environment:
            yield process


def _processes() -> Iterator[Process]:
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            group = os.getpgid(int(directory.name))
        except OSError:
            continue
        # A process that has ended and was not collected has no command line any more.
        if command:
            yield Process(int(directory.name), group, command.strip())
