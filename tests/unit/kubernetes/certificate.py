"""A certificate of a server on loopback."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["encoded", "made_certificate"]


def made_certificate(folder: Path) -> tuple[Path, Path]:
    """The key, and a chain that is its own authority, for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, chain = folder / "key.pem", folder / "chain.pem"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {chain}"
    command += " -subj /CN=it -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=60)
    return key, chain


def encoded(path: Path) -> str:
    """As it is inside a kubeconfig."""
    return base64.b64encode(path.read_bytes()).decode()
