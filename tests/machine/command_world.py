"""What the machine of the verbs needs beside `World`: the command itself; two implementations."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tests.engine.command import Typed
from tests.machine.observed import Wanted
from tests.machine.world import World

__all__ = ["CommandWorld"]


class CommandWorld(World, Protocol):
    wants: Callable[[Mapping[str, str]], Wanted] | None
    """Says what an update with that environment is for, once its config is written."""

    def bluegreen(self, *words: str, kill_at: int | None = None) -> Typed:
        """The command; its update is killed at that moment, where the world can do that."""

    def config_text(self) -> str:
        """The config file of the stack."""

    def read_config(self) -> dict[str, Any]:
        """What the file says, without the project's name."""
