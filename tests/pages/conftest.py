"""Chromium for the tests of pages."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages.browser import Browser

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Its Debian package is installed where it is missing and that is possible."""
    if (program := shutil.which("chromium")) is None:
        done = subprocess.run(
            [REPOSITORY / "tools" / "install_packages.sh", "chromium"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        program = shutil.which("chromium")
    if program is None:
        pytest.skip(f"no chromium: {done.stderr.strip().splitlines()[-1:]}")
    return program


@pytest.fixture
def browser(chromium: str, tmp_path: Path) -> Browser:
    return Browser(chromium, tmp_path)
