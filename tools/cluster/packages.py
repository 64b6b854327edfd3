"""Programs of Debian packages that a cluster needs: found, or installed where that is allowed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.cluster.errors import MissingError

__all__ = ["find_programs", "full_path", "missing_packages", "require_programs"]

INSTALLER = Path(__file__).resolve().parents[1] / "install_packages.sh"
# Not on every user's PATH; the last two have the plugins that make the pods' networks.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/cni", "/opt/cni/bin")


def full_path() -> str:
    """PATH with the folders of programs for the administrator."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])


def find_programs(packages: Mapping[str, str]) -> dict[str, str]:
    """Where the programs are that are here; `packages` says which package each one is in."""
    found = {program: shutil.which(program, path=full_path()) for program in packages}
    return {program: place for program, place in found.items() if place is not None}


def missing_packages(packages: Mapping[str, str]) -> list[str]:
    """The packages whose programs are not here."""
    found = find_programs(packages)
    return sorted({package for program, package in packages.items() if program not in found})


def require_programs(packages: Mapping[str, str]) -> dict[str, str]:
    """Where the programs are, after installing the packages of those that are missing.

    Raises:
        MissingError: One is missing and cannot be installed here.
    """
    missing = missing_packages(packages)
    if missing:
        done = subprocess.run(
            [INSTALLER, *missing], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0 or missing_packages(packages):
            said = done.stderr.decode(errors="replace").strip()
            msg = said or f"a program of {', '.join(missing)} is not on PATH"
            raise MissingError(msg)
    return find_programs(packages)
