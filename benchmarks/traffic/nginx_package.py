"""nginx for one comparison: taken from the machine, or unpacked beside the figures.

Unpacked and not installed: installing starts a service on port 80 and needs to be undone.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["NginxMissingError", "find_nginx"]

_LONGEST_SECONDS = 120.0


class NginxMissingError(Exception):
    """There is no nginx and none could be fetched; says why."""


def find_nginx(cache: Path) -> str:
    """The binary of the machine, or that of the Debian package, unpacked once into `cache`.

    Raises:
        NginxMissingError: Neither is to be had.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is not None:
        return found
    cache = cache.absolute()
    unpacked = cache / "root" / "usr" / "sbin" / "nginx"
    if not unpacked.exists():
        _unpack(cache)
    _run([str(unpacked), "-v"], cache)
    return str(unpacked)


def _unpack(cache: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        msg = "nginx is not installed, and there is no apt-get to fetch it with"
        raise NginxMissingError(msg)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        _run(["apt-get", "download", "-qq", "nginx"], cache)
    except NginxMissingError:
        # A fresh machine has no package lists yet.
        _run([*_as_root(), "apt-get", "update", "-qq"], cache)
        _run(["apt-get", "download", "-qq", "nginx"], cache)
    package = next(cache.glob("nginx_*.deb"), None)
    if package is None:
        msg = "apt-get downloaded no package nginx"
        raise NginxMissingError(msg)
    _run(["dpkg-deb", "--extract", package.name, "root"], cache)


def _as_root() -> Sequence[str]:
    return () if os.getuid() == 0 else ("sudo", "-n")


def _run(command: Sequence[str], directory: Path) -> None:
    try:
        subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no message"]
        msg = f"`{' '.join(command)}` ended with {error.returncode}: {lines[-1]}"
        raise NginxMissingError(msg) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"`{' '.join(command)}`: {error}"
        raise NginxMissingError(msg) from error
