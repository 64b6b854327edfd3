"""A stack of its own in a temporary directory, driven by the real command line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.engine.environment import backend_url

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = REPOSITORY / ".bluegreen" / "engine" / "bin"
UP_SECONDS = 180

# Found only where the official plugin of that name is not: the engine takes the first on PATH.
STAND_INS = ":".join(
    str(REPOSITORY / "tests" / "standins" / platform) for platform in ("kubernetes", "aws")
)


def engine_environment(home: Path) -> dict[str, str]:
    """Environment in which `pulumi` is the engine of this checkout, with its state in `home`."""
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    venv = REPOSITORY / ".venv" / "bin"
    return {
        "PATH": f"{ENGINE}:{venv}:{os.environ['PATH']}:{STAND_INS}",
        "HOME": os.environ.get("HOME", str(home)),
        "LANG": "C.UTF-8",
        "PULUMI_BACKEND_URL": backend_url(state),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(home / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # Makes `--event-log` known.
        "PULUMI_DEBUG_COMMANDS": "true",
    }


@dataclass(frozen=True)
class Step:
    """One thing the engine did to one resource."""

    name: str
    op: str


@dataclass(frozen=True, repr=False)
class Result:
    """What one command did and said."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    steps: tuple[Step, ...] = ()
    """What was really done, in the order in which it was done; a preview does nothing."""

    planned: tuple[Step, ...] = ()
    """What the preview said."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def done(self) -> list[str]:
        """The resources that were really changed, in order."""
        return [step.name for step in self.steps]

    @property
    def plan(self) -> list[str]:
        """The resources that the preview said would change."""
        return [step.name for step in self.planned]

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    def __repr__(self) -> str:
        return f"exit {self.exit_code} after {self.seconds:.1f} s\n{self.text}"


class PulumiStack:
    """Config is written to the stack's file, as an editor would; commands are typed in full."""

    def __init__(self, directory: Path, *, main: Path, name: str = "test", project: str = "shop"):
        self.directory = directory
        self.name = name
        self.project = project
        self.environment = engine_environment(directory / "engine")
        self.before_command: Callable[[tuple[str, ...], Mapping[str, str]], None] | None = None
        """Called with options and environment before each `up` and `preview`."""

        self._events = directory / "events.json"
        self._main = main
        self.use_python(REPOSITORY / ".venv")
        self.run("stack", "init", name)

    def use_python(self, virtual_environment: Path) -> None:
        """Runs the program with another Python from here on."""
        manifest = {
            "name": self.project,
            "runtime": {"name": "python", "options": {"virtualenv": str(virtual_environment)}},
            "main": str(self._main),
        }
        (self.directory / "Pulumi.yaml").write_text(yaml.safe_dump(manifest))

    @property
    def state(self) -> Path:
        """Where the engine keeps what it knows."""
        return self.directory / "engine" / "state"

    @property
    def config_file(self) -> Path:
        return self.directory / f"Pulumi.{self.name}.yaml"

    def configure(self, key: str, value: Any) -> None:
        """Sets `key`, dotted below the project's name; None removes it."""
        self.configure_in(self.project, key, value)

    def configure_in(self, namespace: str, key: str, value: Any) -> None:
        """Sets `key` in any namespace."""
        content = yaml.safe_load(self.config_file.read_text()) or {}
        place = content.setdefault("config", {})
        first, *rest = key.split(".")
        parts = [f"{namespace}:{first}", *rest]
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(parts[-1], None)
        else:
            place[parts[-1]] = value
        self.config_file.write_text(yaml.safe_dump(content))

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a command in a process group of its own, as a shell does."""
        of_stack = () if words[0] == "stack" else ("--stack", self.name)
        return subprocess.Popen(
            ["pulumi", *words, "--non-interactive", "--color", "never", *of_stack],
            cwd=self.directory,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **environment: str) -> Result:
        """Runs a command to its end, and ends it with all it started when it hangs."""
        self._events.unlink(missing_ok=True)
        started = time.monotonic()
        process = self.start(*words, **environment)
        try:
            stdout, stderr = process.communicate(timeout=UP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            stderr += f"\nnot finished after {UP_SECONDS} s"
        events = list(self._read_events())
        return Result(
            process.returncode,
            stdout,
            stderr,
            time.monotonic() - started,
            steps=tuple(_steps(events, "resOutputsEvent", planning=False)),
            planned=tuple(_steps(events, "resourcePreEvent", planning=True)),
        )

    def up(self, *options: str, **environment: str) -> Result:
        """A plain `pulumi up`, with its preview."""
        self._tell(options, environment)
        return self.run("up", "--yes", "--event-log", str(self._events), *options, **environment)

    def preview(self, *options: str, **environment: str) -> Result:
        self._tell(options, environment)
        return self.run("preview", "--event-log", str(self._events), *options, **environment)

    def refresh(self) -> Result:
        return self.run("refresh", "--yes", "--event-log", str(self._events))

    def destroy(self) -> Result:
        return self.run("destroy", "--yes", "--event-log", str(self._events))

    def outputs(self) -> dict[str, Any]:
        result = self.run("stack", "output", "--json", "--stack", self.name)
        return json.loads(result.stdout) if result.ok else {}

    def resources(self) -> list[Mapping[str, Any]]:
        """The resources in the state."""
        result = self.run("stack", "export", "--stack", self.name)
        return json.loads(result.stdout)["deployment"].get("resources") or []

    def _tell(self, options: tuple[str, ...], environment: Mapping[str, str]) -> None:
        if self.before_command is not None:
            self.before_command(options, environment)

    def _read_events(self) -> Iterator[Mapping[str, Any]]:
        if self._events.exists():
            with self._events.open(encoding="utf-8") as events:
                # Not splitlines(): it also parts at characters that stand in a JSON text.
                yield from map(json.loads, events)


def _steps(events: list[Mapping[str, Any]], kind: str, *, planning: bool) -> Iterator[Step]:
    for event in events:
        body = event.get(kind)
        if body is None or bool(body.get("planning")) is not planning:
            continue
        metadata = body["metadata"]
        # The stack itself, and the provider that is given the changed config, are no resources
        # of the user: the command line does not show them either.
        is_users = not metadata["urn"].split("::")[2].startswith("pulumi:")
        if metadata["op"] not in {"same", "refresh"} and is_users:
            yield Step(metadata["urn"].split("::")[-1], metadata["op"])
