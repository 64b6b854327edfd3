"""A service under load whose updates are killed, and what must be true of it afterwards."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bluegreen.load import BackgroundLoad, LoadPlan
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.program import ProgramStatus
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile
from tests.engine.onprem_driver import APP, OnPremDriver
from tests.engine.turning_stage import MEMBERS, Process, TurningStage

__all__ = ["Stage", "load_plan"]

_WARM_UP_SECONDS = 0.6
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


def load_plan(port: int) -> LoadPlan:
    """A steady load that also notes in which condition the member was that answered."""
    return LoadPlan(
        url=f"http://127.0.0.1:{port}/",
        rate=150,
        seconds=900,
        connections=32,
        release_header="X-Bluegreen-Condition",
    )


class Stage(TurningStage):
    """A service on this machine, whose colors can also be removed and its proxy reconfigured."""

    driver: OnPremDriver

    def __init__(self, driver: OnPremDriver) -> None:
        super().__init__(driver)
        self._checks = 1
        self._removed = False
        command = f"python3 {APP} --port {{port}} --warm-up {_WARM_UP_SECONDS}"
        driver.configure("service.onprem.command", command)
        self.want_all()

    def want_all(self) -> None:
        """Configures both colors: the new one active, the old one retired."""
        super().want_all()
        self._removed = False

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
        interval = 1 if self._checks % 2 else 1.25
        self.driver.configure("service.health_check.interval_seconds", interval)

    def load(self) -> BackgroundLoad:
        return BackgroundLoad(load_plan(self.driver.port))

    def wanted_releases(self) -> dict[str, str]:
        found = super().wanted_releases()
        return {str(self.new): found[self.new]} if self._removed else found

    def facts(self) -> dict[str, tuple[Any, Any]]:
        members = [f"{self.new}-{index}" for index in range(MEMBERS)]
        programs = dict.fromkeys([*members, "haproxy"], ProgramStatus.RUNNING)
        return super().facts() | {
            "answers": (
                self.driver.ask("production"),
                {f"{self.new} {self.releases[self.new]}": 20},
            ),
            "left of the engine": (_after_waiting(self._engine_processes), []),
            "programs": (self._programs(), programs),
            "unwanted processes": (_after_waiting(self._unwanted), []),
            "run directory": (self.surprises_in_run_directory(), []),
            "is the switch recorded": (self._is_switch_recorded(), True),
        }

    def orphans(self) -> Iterator[Process]:
        return iter(self._engine_processes())

    def surprises_in_run_directory(self) -> list[str]:
        """Files that are missing, too many or damaged."""
        return sorted(
            [*self._wrong_files(), *self._damaged_files(), *self._what_the_map_says_otherwise()]
        )

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "BLUEGREEN_KILL_RUN": str(self.driver.run_directory.path),
        }

    def _engine_processes(self) -> list[Process]:
        """What runs of this stack's command line, language host, program and provider."""
        home = self.driver.stack.environment["PULUMI_HOME"]
        return list(_processes_with(f"PULUMI_HOME={home}"))

    def _programs(self) -> dict[str, ProgramStatus]:
        states = self._supervisord().programs()
        return {name: state.status for name, state in states.items()}

    def _is_switch_recorded(self) -> bool:
        """Whether the audit trail has the switch of this turn."""
        wanted = f"100 % {self.new} {self.releases[self.new]}"
        events = self.driver.events()
        return any(each["kind"] == "switch" and each["to_split"] == wanted for each in events)

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
