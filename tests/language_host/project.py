"""A small Pulumi project in a folder of its own, driven by the real command line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tools.engine.environment import backend_url

STACK = "test"
COMMAND_SECONDS = 60
UP = ("up", "--yes", "--skip-preview")


class Project:
    """One project with one stack, its own state and its own engine home."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        state = folder / "state"
        state.mkdir()
        self.environment = {
            **environment,
            "PULUMI_BACKEND_URL": backend_url(state),
            "PULUMI_HOME": str(folder / "home"),
        }
        self.write("Pulumi.yaml", "name: sample\nruntime: python\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end; stdout and stderr are kept apart."""
        return subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.pulumi(*UP)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Starts one command as a terminal would: in a process group of its own."""
        with subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def outputs(self) -> dict[str, object]:
        done = self.pulumi("stack", "output", "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def resources(self) -> list[str]:
        """The names of the resources in the state, without the stack and its providers."""
        state = json.loads(self.pulumi("stack", "export").stdout)
        urns = [resource["urn"] for resource in state["deployment"].get("resources", [])]
        names = [urn.rsplit("::", 2) for urn in urns]
        return [name for _, kind, name in names if not kind.endswith(("Stack", "pulumi-python"))]

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [
            "pulumi",
            *arguments,
            "--stack",
            STACK,
            "--non-interactive",
            "--color",
            "never",
        ]


@dataclass(frozen=True)
class SeenProcess:
    """A process that existed; its start time tells it from a later one with the same number."""

    pid: int
    start: str

    def is_running(self) -> bool:
        fields = _stat(self.pid)
        return fields is not None and fields[19] == self.start and fields[0] != "Z"

    def command_line(self) -> str:
        return Path(f"/proc/{self.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def descendants(pid: int) -> list[SeenProcess]:
    """Every process below this one, at whatever depth."""
    found = []
    for entry in Path("/proc").iterdir():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None and fields[1] == str(pid):
            child = int(entry.name)
            found += [SeenProcess(child, fields[19]), *descendants(child)]
    return found


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third one on: state, parent, …, start time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C in the terminal that the process was started in."""
    os.killpg(process.pid, signal.SIGINT)
