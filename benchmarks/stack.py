"""One stack in a temporary directory, driven by the command line as a person types it."""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import Memory
from benchmarks.processes import MemoryWatch
from bluegreen.colors import Color
from bluegreen.errors import BlueGreenError
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from tools.engine.environment import backend_url

__all__ = ["SERVICE", "BenchmarkError", "Done", "Stack", "free_ports", "stack_of", "stack_settings"]

ROOT = Path(__file__).resolve().parents[1]
_NAME = "bench"
SERVICE = "shop"
"""The service of every stack."""

_SLOTS = 4
_LONGEST_SECONDS = 120.0
# What an interrupted `pulumi` may take to write its state down.
_END_SECONDS = 30.0


class BenchmarkError(Exception):
    """Something did not happen as it must, so that its time would say nothing."""


@dataclass(frozen=True, slots=True)
class Done:
    """One command that did what it should."""

    seconds: float
    cpu_seconds: float
    output: str
    started: float
    """By `time.monotonic()`."""

    memory: Memory | None = None

    @property
    def returned(self) -> float:
        """By `time.monotonic()`."""
        return self.started + self.seconds


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


class Stack:
    """One program and what it has deployed."""

    def __init__(self, program: Path, directory: Path) -> None:
        self._directory = directory
        self._first_port = free_ports(2 + 2 * _SLOTS)
        self._settings = stack_settings(self._first_port)
        self._clock = directory / "clock.jsonl"
        (directory / "state").mkdir()
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": backend_url(directory / "state"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "BLUEGREEN_BENCH_CLOCK": str(self._clock),
        }
        manifest = {
            "name": SERVICE,
            "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
            "main": str(program),
        }
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
        self._write_config()
        self._route: dict[str, Any] = {}
        self._run("stack", "init", _NAME)

    @property
    def pulumi_version(self) -> str:
        """What the command line says of itself."""
        return self._run("version").output.strip().removeprefix("v")

    def deploy(self) -> Memory:
        """Creates everything; returns the memory that took."""
        done = self._run("up", "--yes", "--stack", _NAME, is_watched=True)
        assert done.memory is not None  # it was asked for
        return done.memory

    def configure(self, key: str, value: object) -> None:
        """Sets a key of the config, dotted; None removes it."""
        *parents, last = key.split(".")
        place = self._settings
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
        self._write_config()

    def configure_members(self, *words: str) -> None:
        """Adds words to the command of every member."""
        command = self._settings["service"]["onprem"]["command"]
        self.configure("service.onprem.command", " ".join([command, *words]))

    def apply(self) -> Done:
        """An update, whatever it changes."""
        return self._run("up", "--yes", "--stack", _NAME)

    def preview(self) -> Done:
        """A preview that finds nothing to change."""
        return self._run("preview", "--expect-no-changes", "--stack", _NAME)

    def up(self) -> Done:
        """An update that finds nothing to change."""
        return self._run("up", "--yes", "--expect-no-changes", "--stack", _NAME)

    def switch(self) -> Done:
        """An update that moves production traffic to the other color."""
        color = self.active.other
        self.configure("active_color", str(color))
        self._clock.unlink(missing_ok=True)
        done = self._run("up", "--yes", "--stack", _NAME)
        flag = json.loads((self._directory / "run" / "active.json").read_text(encoding="utf-8"))
        before, self._route = self._route, self._recorded_route()
        if flag["color"] != color or self._route["written_at"] == before.get("written_at"):
            msg = f"an update to {color} left {flag['color']} active; its time says nothing"
            raise BenchmarkError(msg)
        return done

    @property
    def active(self) -> Color:
        """The color that the config wants to have production traffic."""
        return Color(self._settings["active_color"])

    @property
    def production_url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self._first_port}"

    @property
    def run_directory(self) -> RunDirectory:
        """Sockets and map of the running service."""
        return RunDirectory(self._directory / "run")

    def release(self, color: Color) -> str:
        """What a color holds."""
        return str(self._settings[str(color)]["release"])

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

    def judged_seconds(self) -> float:
        """What gates and verification took in the last switch; 0 for a program without them."""
        if not self._clock.exists():
            return 0.0
        notes = map(json.loads, self._clock.read_text("utf-8").splitlines())
        # Writing the audit trail is neither.
        return sum(float(each["seconds"]) for each in notes if not each["hook"].endswith("-record"))

    def remove(self) -> None:
        """Destroys everything, by force where that fails; then nothing of it may be left."""
        with contextlib.suppress(BenchmarkError):
            self._run("destroy", "--yes", "--stack", _NAME)
        run = self._directory / "run"
        if run.exists():
            with contextlib.suppress(BlueGreenError):
                Supervisord(run).remove()
        last = self._first_port + 2 + 2 * _SLOTS
        holders = [taken_by(port) for port in range(self._first_port, last)]
        if left := [holder for holder in holders if holder]:
            msg = f"still there: {', '.join(sorted(set(left)))}; end it by hand"
            raise BenchmarkError(msg)

    def _recorded_route(self) -> dict[str, Any]:
        exported = json.loads(self._run("stack", "export", "--stack", _NAME).output)
        (route,) = (
            each
            for each in exported["deployment"]["resources"]
            if each["urn"].endswith(f"::{SERVICE}-route")
        )
        outputs: dict[str, Any] = route["outputs"]
        return outputs

    def _write_config(self) -> None:
        content = {f"{SERVICE}:{key}": value for key, value in self._settings.items()}
        path = self._directory / f"Pulumi.{_NAME}.yaml"
        path.write_text(yaml.safe_dump({"config": content}), encoding="utf-8")

    def _run(self, *words: str, is_watched: bool = False) -> Done:
        started, cpu_before = time.monotonic(), _cpu_seconds_of_children()
        process = subprocess.Popen(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C is for the benchmark, which then ends what it has started.
            start_new_session=True,
        )
        watch = MemoryWatch(process.pid) if is_watched else None
        try:
            stdout, stderr = process.communicate(timeout=_LONGEST_SECONDS)
        except BaseException:
            _end(process)
            raise
        finally:
            memory = watch.stop() if watch else None
        seconds = time.monotonic() - started
        if process.returncode:
            msg = f"`pulumi {' '.join(words)}` ended with {process.returncode}:\n{stdout}{stderr}"
            raise BenchmarkError(msg)
        cpu_seconds = _cpu_seconds_of_children() - cpu_before
        return Done(seconds, cpu_seconds, stdout, started, memory)


@contextlib.contextmanager
def stack_of(program: Path) -> Iterator[Stack]:
    """A stack of a program, gone in the end with all it started."""
    if shutil.which("pulumi") is None:
        msg = "pulumi is not on PATH; run `make bench`, or `. .bluegreen/env` first"
        raise BenchmarkError(msg)
    # Short, because sockets have long names.
    with tempfile.TemporaryDirectory(prefix="bgb-", ignore_cleanup_errors=True) as directory:
        stack = Stack(program, Path(directory))
        try:
            yield stack
        finally:
            stack.remove()


def _cpu_seconds_of_children() -> float:
    """Processor time of all commands that have ended, with what they started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end(process: subprocess.Popen[str]) -> None:
    """Presses Ctrl-C for the command and all it started, then makes it end."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_END_SECONDS)
            return


def free_ports(count: int) -> int:
    """The first of consecutive ports that nobody listens on.

    Below the range that the kernel takes the ports of outgoing connections from: those come and go.
    """
    while True:
        first = random.randrange(10_000, 32_000 - count)
        if not any(taken_by(port) for port in range(first, first + count)):
            return first
