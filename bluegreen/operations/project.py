"""Which Pulumi project a command is about, and where the config of its stacks is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bluegreen.operations.outcome import UsageError

__all__ = ["Project", "find_project"]

_FILES = ("Pulumi.yaml", "Pulumi.yml")


@dataclass(frozen=True, slots=True)
class Project:
    """A Pulumi project on this machine."""

    directory: Path
    """Where its Pulumi.yaml is."""

    name: str
    """Also the namespace of its config keys."""

    config_directory: Path
    """Where the config files of its stacks are."""

    def config_file(self, stack: str) -> Path:
        """The config file of a stack, whether it is there or not; `org/project/` is left out."""
        return self.config_directory / f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"


def find_project(cwd: Path) -> Project:
    """The project of a directory: its own Pulumi.yaml, or that of the nearest one above.

    Raises:
        UsageError: There is none, or it does not say its name.
    """
    start = cwd.resolve()
    if not start.is_dir():
        msg = f"{cwd} is not a directory; nothing was done"
        raise UsageError(msg)
    for directory in (start, *start.parents):
        for name in _FILES:
            if (path := directory / name).is_file():
                return _read(path)
    msg = (
        f"no Pulumi.yaml in {start} or above it; nothing was done; "
        "go to the project, or name it: --cwd DIRECTORY"
    )
    raise UsageError(msg)


def _read(path: Path) -> Project:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read: {error}; nothing was done"
        raise UsageError(msg) from error
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        msg = f"{path} does not say the project's name; nothing was done"
        raise UsageError(msg)
    folder = content.get("stackConfigDir")
    directory = path.parent / folder if isinstance(folder, str) else path.parent
    return Project(path.parent, name, directory)
