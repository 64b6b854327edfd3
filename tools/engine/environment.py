"""Where the engine of one checkout lives, and the environment variables that make it work there.

Nothing here looks at the disk: the installer writes these values down, tests pass them on.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EngineHome", "backend_url"]


def backend_url(folder: Path) -> str:
    """Where Pulumi keeps the state, as it is to be told.

    Without `metadata=skip` each file of the state has another one beside it, `….json.attrs`, which
    is not replaced in one step: an engine that is killed while it writes one leaves it empty, and
    no command can read the state then ("failed to load checkpoint: EOF"). Nothing reads them.
    """
    return f"file://{folder}?metadata=skip"


@dataclass(frozen=True, slots=True)
class EngineHome:
    """The folder of one checkout that holds its engine, its state and its plugins."""

    folder: Path
    """Absolute, usually `.bluegreen` in the repository."""

    python: Path
    """Interpreter that runs the language host; its folder comes second on PATH."""

    fetches_plugins: bool = False
    """Whether the engine may download a missing plugin; the engine built here may not."""

    @property
    def bin(self) -> Path:
        """Holds `pulumi` and, where it was built here, what it starts."""
        return self.folder / "engine" / "bin"

    @property
    def env_file(self) -> Path:
        """For `. .bluegreen/env`."""
        return self.folder / "env"

    @property
    def state(self) -> Path:
        """The stacks' state."""
        return self.folder / "state"

    @property
    def pulumi_home(self) -> Path:
        """The engine's own files; keeps the user's login and plugins out of this."""
        return self.folder / "pulumi-home"

    @property
    def path_entries(self) -> tuple[str, ...]:
        """What comes first on PATH."""
        return str(self.bin), str(self.python.parent)

    def settings(self) -> dict[str, str]:
        """Every variable except PATH."""
        settings = {
            "PULUMI_BACKEND_URL": backend_url(self.state),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if not self.fetches_plugins:
            settings["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return settings

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The variables for a child process: `base` with this engine in front."""
        inherited = base.get("PATH", os.defpath).split(os.pathsep)
        others = [entry for entry in inherited if entry not in self.path_entries]
        return {**base, **self.settings(), "PATH": os.pathsep.join([*self.path_entries, *others])}

    def script(self) -> str:
        """The same for a POSIX shell; sourcing it again changes nothing."""
        front = ":".join(shlex.quote(entry) for entry in self.path_entries)
        lines = [
            "# Made by tools/engine/install.py. Use it in any shell: . .bluegreen/env",
            'case "${PATH-}:" in',
            f"  {front}:*) ;;",
            f'  *) PATH={front}:"${{PATH-}}" ;;',
            "esac",
            "export PATH",
            *(f"export {name}={shlex.quote(value)}" for name, value in self.settings().items()),
        ]
        return "\n".join(lines) + "\n"
