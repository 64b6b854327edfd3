"""A virtual environment with the newest pulumi-aws 7, which stands on that of this checkout.

The package itself is kept in the user's cache, one folder a version; what is around it is made for
each test run, in no time.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tools.engine.go_build import cache_folder

__all__ = ["NoSdkError", "newest_sdk", "virtual_environment"]

WANTED = "pulumi-aws>=7,<8"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
PIP_SECONDS = 240


class NoSdkError(Exception):
    """It cannot be had here."""


def newest_sdk() -> Path:
    """The folder with the newest version that pip finds, else with the newest that is kept.

    Raises:
        NoSdkError: pip finds none, and none is kept.
    """
    cache = cache_folder("pulumi-aws", os.environ)
    try:
        version = _newest_version()
    except NoSdkError:
        kept = sorted(cache.glob("7.*"), key=_number)
        if not kept:
            raise
        return kept[-1]
    folder = cache / version
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=cache) as made:
            _pip("--no-deps", "--target", f"{made}/{version}", f"pulumi-aws=={version}")
            # Whoever else made it meanwhile has made the same.
            if not folder.exists():
                Path(made, version).rename(folder)
    return folder


def virtual_environment(sdk: Path, folder: Path) -> Path:
    """Python with that version first, then everything of the environment that runs the tests."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    # As a site: also with what is installed there by a link, as this checkout is.
    others = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
    Path(packages, "newest-sdk.pth").write_text(f"{sdk}\n{others}\n")
    return folder


def _newest_version() -> str:
    report = _pip("--dry-run", "--no-deps", "--ignore-installed", "--report", "-", WANTED)
    (found,) = json.loads(report)["install"]
    return str(found["metadata"]["version"])


def _pip(*words: str) -> str:
    try:
        done = subprocess.run(
            [*PIP, *words], capture_output=True, text=True, check=False, timeout=PIP_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        msg = f"pip has not found {WANTED} within {PIP_SECONDS} s"
        raise NoSdkError(msg) from error
    if done.returncode:
        (*_, last) = done.stderr.strip().splitlines() or [f"pip ended with {done.returncode}"]
        msg = f"pip does not find {WANTED}: {last}"
        raise NoSdkError(msg)
    return done.stdout


def _number(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split(".") if part.isdigit())
