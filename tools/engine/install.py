"""Makes a working Pulumi engine for this checkout: the one on PATH, else one built with Go.

    python tools/engine/install.py --python .venv/bin/python --into .bluegreen

Writes only into that folder, except for the built command line: the checkouts of one user share
it in `${XDG_CACHE_HOME:-~/.cache}/bluegreen`. The second run changes nothing.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from built_engine import EXECUTOR, VERSION, built_engine
from environment import EngineHome
from go_build import UnavailableError

__all__ = ["main", "usable_official_cli"]

OLDEST_USABLE = (3, 238)
"""Since then a failed after-hook fails the update, and hooks can be told to ignore errors."""

LANGUAGE_HOST = "pulumi-language-python"
DYNAMIC_PROVIDER = "pulumi-resource-pulumi-python"
TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent.parent
BIN_OF_A_CHECKOUT = (".bluegreen", "engine", "bin")


def main() -> int:
    """Installs what is missing; says which engine is in use, or why there is none."""
    arguments = _arguments()
    try:
        home, engine = _install(arguments.into, arguments.python, is_build_wanted=arguments.build)
    except UnavailableError as error:
        print(f"no Pulumi engine: {error}", file=sys.stderr)
        return error.status
    if arguments.print_env:
        print(json.dumps(home.environment(os.environ)))
    else:
        print(f"{engine}; use it with: . {shlex.quote(os.path.relpath(home.env_file))}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python",
        type=Path,
        default=ROOT / ".venv" / "bin" / "python",
        help="interpreter that has the Pulumi SDK (default: the repository's .venv/bin/python)",
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=ROOT / ".bluegreen",
        help="folder for this checkout's engine and state (default: the repository's .bluegreen)",
    )
    parser.add_argument(
        "--build", action="store_true", help="use the engine built here even if PATH has another"
    )
    parser.add_argument(
        "--print-env", action="store_true", help="print the environment to use it with, as JSON"
    )
    return parser.parse_args()


def _install(into: Path, python: Path, *, is_build_wanted: bool) -> tuple[EngineHome, str]:
    # Never resolved: a virtual environment is known by the path its interpreter is started with.
    folder, python = into.absolute(), python.absolute()
    _check(folder, python)
    official = None if is_build_wanted else usable_official_cli(os.environ)
    home = EngineHome(folder, python, fetches_plugins=official is not None)
    cache = built_engine(os.environ) if official is None else None
    for needed in (home.bin, home.state, home.pulumi_home):
        needed.mkdir(parents=True, exist_ok=True)
    if cache is not None:
        _fill_with_built(home, cache)
    elif official is not None:
        _fill_with_official(home, official)
    _write(home.env_file, home.script())
    return home, f"Pulumi at {official}" if official else f"Pulumi {VERSION}, built with Go"


def _check(folder: Path, python: Path) -> None:
    if os.pathsep in f"{folder}{python}":
        msg = f"{folder} contains {os.pathsep!r} and cannot be on PATH; move the checkout"
        raise UnavailableError(msg, 2)
    if not os.access(python, os.X_OK):
        msg = f"no Python at {python}; make it with `python3 -m venv {python.parent.parent}`"
        raise UnavailableError(msg, 2)


def usable_official_cli(environment: Mapping[str, str]) -> Path | None:
    """The `pulumi` on PATH, if it is new enough and comes with a Python language host."""
    entries = environment.get("PATH", os.defpath).split(os.pathsep)
    foreign = [entry for entry in entries if Path(entry).parts[-3:] != BIN_OF_A_CHECKOUT]
    path = os.pathsep.join(foreign)
    found = shutil.which("pulumi", path=path)
    if found is None:
        return None
    beside = Path(found).resolve().parent / LANGUAGE_HOST
    has_language_host = os.access(beside, os.X_OK) or shutil.which(LANGUAGE_HOST, path=path)
    if not has_language_host or _version_of(found, environment) < OLDEST_USABLE:
        return None
    return Path(found).absolute()


def _version_of(cli: str, environment: Mapping[str, str]) -> tuple[int, ...]:
    """Major and minor; nothing if it does not say."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [cli, "version"],
            env={**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if version := re.match(r"v?(\d+)\.(\d+)\.", done.stdout):
            return tuple(int(part) for part in version.groups())
    return ()


def _fill_with_official(home: EngineHome, cli: Path) -> None:
    for name in (LANGUAGE_HOST, DYNAMIC_PROVIDER):
        (home.bin / name).unlink(missing_ok=True)
    _link(home.bin / "pulumi", cli, _symlink)


def _fill_with_built(home: EngineHome, cache: Path) -> None:
    # A symlink would make the engine look for its plugins in the cache, and warn at every use.
    _link(home.bin / "pulumi", cache / "pulumi", _hard_link)
    _link(home.bin / DYNAMIC_PROVIDER, TOOLS / DYNAMIC_PROVIDER, _symlink)
    command = [home.python, TOOLS / "language_host.py", "--executor", cache / EXECUTOR]
    lines = (
        "#!/bin/sh",
        "# Until Python has a quiet handler of its own.",
        "trap '' INT",
        f'exec {shlex.join(map(str, command))} "$@"',
    )
    _write(home.bin / LANGUAGE_HOST, "\n".join(lines) + "\n", mode=0o755)


def _link(place: Path, target: Path, make: Callable[[Path, Path], None]) -> None:
    with suppress(OSError):
        if place.samefile(target):
            return
    new = place.with_name(f".{place.name}.{os.getpid()}")
    make(new, target)
    new.replace(place)


def _symlink(new: Path, target: Path) -> None:
    new.symlink_to(target)


def _hard_link(new: Path, target: Path) -> None:
    try:
        new.hardlink_to(target)
    except OSError:
        # The cache is on another file system.
        new.symlink_to(target)


def _write(place: Path, text: str, mode: int = 0o644) -> None:
    with suppress(OSError):
        if place.read_text() == text:
            return
    new = place.with_name(f".{place.name}.{os.getpid()}")
    new.write_text(text)
    new.chmod(mode)
    new.replace(place)


if __name__ == "__main__":
    sys.exit(main())
