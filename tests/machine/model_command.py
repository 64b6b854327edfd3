"""The command on the engine in memory: everything but `bluegreen.operations.automation` is real."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import yaml

from bluegreen.operations import EngineMessage, Interruption, Stack
from bluegreen.operations.project import Project
from bluegreen.operations.pulumi_command import StackLockedError, UpdateFailedError
from bluegreen.operations.stack import PastUpdate
from tests.engine.command import Typed, in_process
from tests.engine.pulumi_stack import Result, Step
from tests.machine.model_world import ModelWorld
from tests.machine.observed import Wanted
from tests.machine.onprem_model import SERVICE
from tests.machine.world import KILLED

__all__ = ["CommandModelWorld"]

STACK = "test"


class CommandModelWorld(ModelWorld):
    """Implements `tests.machine.command_world.CommandWorld`."""

    def __init__(self) -> None:
        self.wants: Callable[[Mapping[str, str]], Wanted] | None = None
        self.history: list[PastUpdate] = []
        super().__init__()

    @property
    def project(self) -> Project:
        return Project(self.directory, SERVICE, self.directory)

    def configure(self, key: str, value: Any) -> None:
        if self.project.config_file(STACK).exists():
            self.config = self.read_config()
        super().configure(key, value)
        content = {f"{SERVICE}:{name}": each for name, each in self.config.items()}
        self.project.config_file(STACK).write_text(yaml.safe_dump({"config": content}))

    def config_text(self) -> str:
        return self.project.config_file(STACK).read_text()

    def read_config(self) -> dict[str, Any]:
        content = yaml.safe_load(self.config_text())["config"]
        return {name.partition(":")[2]: each for name, each in content.items()}

    def bluegreen(self, *words: str, kill_at: int | None = None) -> Typed:
        def opened(_cls: type[Stack], _cwd: Any, _name: str, interruption: Any = None) -> Stack:
            return MemoryAutomation(self, interruption or Interruption(), kill_at)

        asked = mock.patch("bluegreen.operations.live.ask", self._machine.answer)
        with mock.patch.object(Stack, "open", classmethod(opened)), asked:
            return in_process(words[0], "-s", STACK, *words[1:])

    def up(self, wanted: Wanted | None, kill_at: int | None = None, **environment: str) -> Result:
        self.config = self.read_config()
        result = super().up(wanted, kill_at, **environment)
        self.remember("pulumi up", result)
        return result

    def update(self, kill_at: int | None, *, refresh: bool, **environment: str) -> Result:
        """`pulumi up --skip-preview` with the config that the file has."""
        self.config = self.read_config()
        if refresh:
            self.refresh()
        wanted = self.wants(environment) if self.wants else None
        with mock.patch.object(self._stack, "preview", return_value=Result(0, "", "", 0.0)):
            return super().up(wanted, kill_at, **environment)

    @property
    def failed(self) -> list[Step]:
        return self._stack.failed

    def remember(self, message: str, result: Result) -> None:
        """A killed update is not in the history, as with the state in files."""
        if result.exit_code == KILLED:
            return
        now = datetime.now(UTC).isoformat()
        config = {f"{SERVICE}:{name}": each for name, each in self.config.items()}
        word = "succeeded" if result.ok else "failed"
        self.history.insert(0, PastUpdate("update", word, now, now, message, None, None, config))


class MemoryAutomation(Stack):
    """`Stack` of the world: the same questions and updates, in memory."""

    def __init__(
        self, world: CommandModelWorld, interruption: Interruption, kill_at: int | None
    ) -> None:
        super().__init__(world.project, STACK, interruption)
        self._world = world
        self._kill_at = kill_at

    def outputs(self) -> dict[str, Any]:
        return self._world.outputs()

    def history(self, count: int) -> tuple[PastUpdate, ...]:
        return tuple(self._world.history[:count])

    def up(
        self,
        *,
        message: str,
        environment: Mapping[str, str] | None = None,
        continue_on_error: bool = False,
        refresh: bool = False,
        tell: Callable[[EngineMessage], None] = lambda _: None,
    ) -> None:
        del continue_on_error
        result = self._world.update(self._kill_at, refresh=refresh, **(environment or {}))
        self._world.remember(message, result)
        with _told(result, tell):
            for step in (*result.steps, *self._world.failed):
                tell(EngineMessage(f"{step.name}: {step.op} done", "step"))

    def preview(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        tell: Callable[[EngineMessage], None] = lambda _: None,
    ) -> None:
        self._world.config = self._world.read_config()
        with _told(self._world.preview(**(environment or {})), tell):
            pass


@contextlib.contextmanager
def _told(result: Result, tell: Callable[[EngineMessage], None]) -> Iterator[None]:
    for line in result.stdout.splitlines():
        tell(EngineMessage(line, "info"))
    yield
    if "currently locked" in result.stderr:
        raise StackLockedError(result.stderr)
    if not result.ok:
        raise UpdateFailedError(result.stderr, was_killed=result.exit_code == KILLED)
