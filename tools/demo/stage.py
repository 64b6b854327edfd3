"""Where the demo takes place: makes room for it, types its commands, takes it down."""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bluegreen.onprem.orphans import ends_within
from bluegreen.onprem.ports import taken_by
from bluegreen.onprem.supervisord import Supervisord
from tools.demo.commands import Command, Commands, Done, commands_in
from tools.demo.errors import DemoError
from tools.demo.leftovers import MARK, find_leftovers
from tools.demo.plan import SERVICE, DemoPlan
from tools.demo.screen import Screen

__all__ = ["Stage", "written_at"]

_LOCK_HOLDER = re.compile(r"\(pid (\d+)\)")
_ANSWER_SECONDS = 5.0
_LONGEST_UPDATE_SECONDS = 60.0
_UNATTENDED = "--yes --non-interactive"


class Stage:
    """The stack of one demo, driven by commands that are shown before they run."""

    def __init__(self, plan: DemoPlan, screen: Screen) -> None:
        self.plan = plan
        self.screen = screen
        # Unique, so that processes of another demo are not taken for this one's.
        self._mark = f"{plan.stack}-{os.getpid()}-{time.monotonic_ns()}"
        environment = {**os.environ, "PULUMI_STACK": plan.stack, MARK: self._mark}
        self._commands = Commands(plan.root / "stacks", environment)
        self._log = plan.logs / "00-before.log"

    @contextlib.contextmanager
    def reserved(self) -> Iterator[None]:
        """Keeps a second demo from working on the same stack meanwhile."""
        self.plan.logs.mkdir(parents=True, exist_ok=True)
        with (self.plan.into / ".lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                msg = f"another demo is running (pid {file.read()}); nothing was started"
                raise DemoError(msg) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def make_room(self) -> None:
        """Takes down an earlier demo and sees to it that every port is free."""
        earlier = (*self.plan.logs.glob("*.log"), self.plan.report_file, self.plan.picture_file)
        for file in earlier:
            file.unlink(missing_ok=True)
        if self.exists() or self.plan.run_directory.exists():
            self.screen.note("A demo from before is still there; it is taken down first.")
            self.take_down()
        for port, purpose in self.plan.ports.items():
            holder = taken_by(port)
            if holder is not None:
                msg = (
                    f"port {port}, needed for {purpose}, is taken by {holder}; nothing was "
                    "started; end that, or run `python -m tools.demo --first-port 28080`"
                )
                raise DemoError(msg)

    def begin(self, title: str, why: str) -> None:
        """Opens a step of the story with a log of its own."""
        number = self.screen.step(title, why)
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        self._log = self.plan.logs / f"{number:02}-{slug}.log"

    def type(self, line: str, *, may_fail: bool = False) -> Done:
        """Shows and runs one command line; `DemoError` when it fails and must not."""
        (command,) = commands_in(line)
        return self._run(command, may_fail=may_fail)

    def configure(self, line: str) -> None:
        """`pulumi config …` for the stack of the demo."""
        self.type(f"pulumi config {line}")

    def up(self, *, may_fail: bool = False) -> Done:
        """A plain `pulumi up`, with its preview."""
        return self.type(f"pulumi up {_UNATTENDED}", may_fail=may_fail)

    def type_rollback(self, reason: str) -> Done:
        """Runs what the output `rollback_command` says; returns what its `pulumi up` did."""
        line = self._read("stack", "output", "rollback_command").strip()
        self.screen.note(f"The output rollback_command says: {line}")
        *before, last = commands_in(line.replace(":why'", f":{reason}'"))
        for command in before:
            self._run(command)
        return self._run(Command((*last.words, *_UNATTENDED.split()), last.environment))

    def route(self) -> Mapping[str, Any]:
        """What the state says about the route: `write_ms` and `written_at` of its last write."""
        state = json.loads(self._read("stack", "export"))
        for resource in state["deployment"]["resources"]:
            if resource["urn"].endswith(f"::{SERVICE}-route"):
                outputs: Mapping[str, Any] = resource["outputs"]
                return outputs
        msg = f"the state has no {SERVICE}-route"
        raise DemoError(msg)

    def ask(self, url: str) -> str:
        """What a client gets there: color and release, or the status and why."""
        try:
            answer = httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            msg = f"{url} gave no answer: {error}"
            raise DemoError(msg) from error
        text = answer.text.strip()
        return text if answer.is_success else f"{answer.status_code} {text}"

    def exists(self) -> bool:
        """Whether there is a stack of the demo's name."""
        stacks = json.loads(self._read("stack", "ls", "--json"))
        return any(stack["name"] == self.plan.stack for stack in stacks)

    def take_down(self) -> None:
        """`pulumi destroy`, and what a demo that was killed leaves besides."""
        if self.exists():
            self._destroy()
            self.type(f"pulumi stack rm --yes {self.plan.stack}")
        self.plan.config_file.unlink(missing_ok=True)
        if self.plan.run_directory.exists():
            self.screen.note(f"Ending what was left in {self.plan.run_directory}.")
            Supervisord(self.plan.run_directory).remove()

    def left_over(self) -> list[str]:
        """Processes, ports and files that are still there."""
        return find_leftovers(self.plan.run_directory, self.plan.ports, self._mark)

    def _run(self, command: Command, *, may_fail: bool = False) -> Done:
        self.screen.command(command)
        with self.screen.waiting("running"):
            done = self._commands.run(command, self._log)
        if done.exit_code and not may_fail:
            raise _failure(done)
        return done

    def _read(self, *words: str) -> str:
        return self._commands.read(Command(("pulumi", *words)))

    def _destroy(self) -> None:
        destroy = f"pulumi destroy {_UNATTENDED}"
        done = self.type(destroy, may_fail=True)
        holders = [int(pid) for pid in _LOCK_HOLDER.findall(done.output)]
        if done.exit_code and holders:
            # What a killed demo had started may still be at work; a killed one leaves its lock.
            self.screen.note("An earlier `pulumi` has locked the stack; waiting for its end.")
            if all(ends_within(pid, _LONGEST_UPDATE_SECONDS) for pid in holders):
                self.type(f"pulumi cancel --yes {self.plan.stack}", may_fail=True)
                done = self.type(destroy, may_fail=True)
        if done.exit_code:
            raise _failure(done)


def written_at(route: Mapping[str, Any]) -> float:
    """When the route was written, by `time.monotonic()`."""
    wall = datetime.fromisoformat(route["written_at"]).timestamp()
    return wall - (time.time() - time.monotonic())


def _failure(done: Done) -> DemoError:
    return DemoError(
        f"`{done.command}` ended with exit code {done.exit_code}: {done.last_error}; "
        f"all it said is in {_relative(done.log)}"
    )


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
