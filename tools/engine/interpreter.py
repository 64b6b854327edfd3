"""Which Python runs a Pulumi program: the rule of Pulumi's own language host.

The `virtualenv` option of Pulumi.yaml, relative to the project's root; without it
`PULUMI_PYTHON_CMD`, else the first `python3` or `python` on PATH.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Interpreter", "InterpreterError", "interpreter_for"]


class InterpreterError(Exception):
    """The project names a Python that is not there."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python to start programs with."""

    executable: str
    virtualenv: Path | None = None

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` as it is after activating the virtual environment, if there is one."""
        if self.virtualenv is None:
            return dict(base)
        environment = {name: value for name, value in base.items() if name != "PYTHONHOME"}
        environment["VIRTUAL_ENV"] = str(self.virtualenv)
        environment["PATH"] = os.pathsep.join(
            [str(self.virtualenv / "bin"), base.get("PATH", os.defpath)]
        )
        return environment


def interpreter_for(
    root: Path, options: Mapping[str, object], environment: Mapping[str, str]
) -> Interpreter:
    """The Python for the project in `root`, from the runtime options of its Pulumi.yaml.

    Raises:
        InterpreterError: there is none; the text says what to do.
    """
    toolchain = options.get("toolchain") or "pip"
    if toolchain not in ("pip", "uv"):
        msg = (
            f"toolchain {toolchain!r} in {root / 'Pulumi.yaml'} is unknown to this language host;"
            " the program did not start; write `virtualenv: <folder>` instead"
        )
        raise InterpreterError(msg)
    virtualenv = options.get("virtualenv") or (".venv" if toolchain == "uv" else None)
    if virtualenv is None:
        return Interpreter(_python_on_path(environment))
    return _of_virtualenv(root, str(virtualenv))


def _of_virtualenv(root: Path, option: str) -> Interpreter:
    folder = Path(os.path.normpath(root / option))
    executable = folder / "bin" / "python"
    if os.access(executable, os.X_OK):
        return Interpreter(str(executable), folder)
    found = "is not a virtual environment" if folder.exists() else "does not exist"
    msg = (
        f"virtualenv {option!r} in {root / 'Pulumi.yaml'} means {folder}, which {found};"
        f" the program did not start; make it with `python3 -m venv {folder}` and install"
        " the project's requirements into it"
    )
    raise InterpreterError(msg)


def _python_on_path(environment: Mapping[str, str]) -> str:
    path = environment.get("PATH", os.defpath)
    for command in (environment.get("PULUMI_PYTHON_CMD"), "python3", "python"):
        found = shutil.which(command, path=path) if command else None
        if found:
            return found
    msg = "no python3 on PATH; the program did not start; activate a virtual environment"
    raise InterpreterError(msg)
