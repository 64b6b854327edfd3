"""One stack in a temporary directory, driven by the command line as a person types it."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import Memory
from benchmarks.processes import MemoryWatch
from bluegreen.colors import Color
from tools.engine.environment import backend_url

__all__ = ["ROOT", "SERVICE", "BenchmarkError", "Done", "Stack", "directory_of_stack"]

ROOT = Path(__file__).resolve().parents[1]
SERVICE = "shop"
"""The service of every stack."""

_NAME = "bench"
_PULUMI_ONLY = ("--non-interactive", "--color", "never")
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


class Stack(ABC):
    """One program and what it has deployed; each platform says what that is."""

    def __init__(
        self,
        program: Path,
        directory: Path,
        settings: dict[str, Any],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._clock = directory / "clock.jsonl"
        (directory / "state").mkdir()
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": backend_url(directory / "state"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "BLUEGREEN_BENCH_CLOCK": str(self._clock),
            **(environment or {}),
        }
        # An installed library is compiled once, and not anew by every program.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        manifest = {
            "name": SERVICE,
            "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
            "main": str(program),
        }
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
        self._write_config()
        self._run("stack", "init", _NAME)

    @abstractmethod
    def _check_switched(self, color: Color) -> None:
        """Raises `BenchmarkError` unless an update has just moved production to a color."""

    def write_ms(self) -> float | None:
        """Milliseconds of the last write, where the provider measures them."""
        return None

    @abstractmethod
    def remove(self) -> None:
        """Destroys everything, by force where that fails; then nothing of it may be left."""

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

    def apply(self, *options: str) -> Done:
        """An update, whatever it changes."""
        return self._run("up", "--yes", *options, "--stack", _NAME)

    def command(self, verb: str, *options: str) -> Done:
        """One verb of our own command; `switch` and `rollback` go to the other color."""
        color = self.active.other
        done = self._run(verb, "--stack", _NAME, *options, program="bluegreen")
        if verb in {"switch", "rollback"}:
            # The command has written it to the file.
            self._settings["active_color"] = str(color)
            self._check_switched(color)
        return done

    def preview(self) -> Done:
        """A preview that finds nothing to change."""
        return self._run("preview", "--expect-no-changes", "--stack", _NAME)

    def document(self) -> Done:
        """A preview that is printed for programs."""
        return self._run("preview", "--json", "--show-sames", "--stack", _NAME)

    def up(self) -> Done:
        """An update that finds nothing to change."""
        return self._run("up", "--yes", "--expect-no-changes", "--stack", _NAME)

    def switch(self, *options: str) -> Done:
        """An update that moves production traffic to the other color."""
        color = self.active.other
        self.configure("active_color", str(color))
        self._clock.unlink(missing_ok=True)
        done = self.apply(*options)
        self._check_switched(color)
        return done

    @property
    def active(self) -> Color:
        """The color that the config wants to have production traffic."""
        return Color(self._settings["active_color"])

    def release(self, color: Color) -> str:
        """What a color holds."""
        return str(self._settings[str(color)]["release"])

    def judged_seconds(self) -> float:
        """What gates and verification took in the last switch; 0 for a program without them."""
        judgements = (each for each in self._notes() if "seconds" in each)
        return sum(float(each["seconds"]) for each in judgements if _is_judgement(each["hook"]))

    def _notes(self) -> list[dict[str, Any]]:
        """What the program has noted since the last switch began."""
        if not self._clock.exists():
            return []
        return [json.loads(line) for line in self._clock.read_text("utf-8").splitlines()]

    def _destroy(self) -> None:
        with contextlib.suppress(BenchmarkError):
            self._run("destroy", "--yes", "--stack", _NAME)

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

    def _run(self, *words: str, is_watched: bool = False, program: str = "pulumi") -> Done:
        started, cpu_before = time.monotonic(), _cpu_seconds_of_children()
        process = subprocess.Popen(
            [program, *words, *(_PULUMI_ONLY if program == "pulumi" else ())],
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
            msg = (
                f"`{program} {' '.join(words)}` ended with {process.returncode}:\n{stdout}{stderr}"
            )
            raise BenchmarkError(msg)
        cpu_seconds = _cpu_seconds_of_children() - cpu_before
        return Done(seconds, cpu_seconds, stdout, started, memory)


@contextlib.contextmanager
def directory_of_stack() -> Iterator[Path]:
    """Where a stack may be; gone in the end."""
    if shutil.which("pulumi") is None:
        msg = "pulumi is not on PATH; run `make bench`, or `. .bluegreen/env` first"
        raise BenchmarkError(msg)
    # Short, because sockets have long names.
    with tempfile.TemporaryDirectory(prefix="bgb-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


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


def _is_judgement(hook: str) -> bool:
    """Gates and verification; not what writes the audit trail and the flag."""
    return not hook.endswith(("-record", "-write"))
