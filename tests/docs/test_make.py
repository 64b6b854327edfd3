"""The few commands: what they are called, and what sets them up."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import README, REPOSITORY, blocks

MAKEFILE = REPOSITORY / "Makefile"
TARGET = re.compile(r"^([A-Za-z][\w-]*)\s*:(?!=)(.*)$", flags=re.MULTILINE)

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None and not Path("/usr/sbin/haproxy").exists(),
    reason="haproxy is not installed, and setting up would install it",
)

# Stands in for the Python on PATH: it makes a virtual environment whose Python is the one of these
# tests, and whose pip only writes down that it was called. Everything else is real.
PYTHON = """\
#!/bin/sh
case "$*" in
  "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip "*) echo "$*" >> {calls} ;;
  *) exec {python} "$@" ;;
esac
"""


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    # As a user types it, not as a part of the `make test` that runs these tests.
    of_make = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}
    return subprocess.run(
        ["make", *arguments],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name not in of_make},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def help_texts() -> dict[str, str]:
    """Each target of the Makefile with what `make help` says about it."""
    found = TARGET.findall(MAKEFILE.read_text())
    return {name: rest.partition("## ")[2].strip() for name, rest in found}


class Checkout:
    """A copy of what setting up needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self._calls = folder / "pip-calls"
        self._python = folder / "python"
        (self.folder / "tools").mkdir(parents=True)
        shutil.copy(REPOSITORY / "tools" / "setup.sh", self.folder / "tools")
        shutil.copytree(
            REPOSITORY / "tools" / "engine",
            self.folder / "tools" / "engine",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for name in ("requirements.txt", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, self.folder)
        self.use_python(PYTHON.format(calls=self._calls, python=sys.executable))

    def use_python(self, script: str) -> None:
        self._python.write_text(script)
        self._python.chmod(0o755)

    def set_up(self, python: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tools/setup.sh", python or str(self._python)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def pip_calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file with what shows that somebody wrote it."""
        return {
            str(path.relative_to(self.folder)): (path.lstat().st_mtime_ns, path.lstat().st_ino)
            for path in self.folder.rglob("*")
            if "__pycache__" not in path.parts and not path.is_dir()
        }


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    "line",
    [line for block in blocks(README, "sh") if block.is_make_only for line in block.lines],
)
def test_a_command_in_the_readme_is_a_target_with_a_help_text(line: str) -> None:
    target = line.split()[1]

    assert help_texts().get(target)


def test_the_readme_shows_the_demo_and_the_tests() -> None:
    shown = [line for block in blocks(README, "sh") if block.is_make_only for line in block.lines]

    assert [line.split()[1] for line in shown] == ["demo", "test"]


def test_help_lists_every_target_with_its_text() -> None:
    done = make("help")

    assert done.returncode == 0, done.stderr
    listed = {}
    for line in done.stdout.splitlines():
        _, name, text = line.split(maxsplit=2)
        listed[name] = text
    assert listed == help_texts()
    assert "" not in listed.values()


def test_help_is_what_make_says_without_a_target() -> None:
    assert make().stdout == make("help").stdout


def test_every_target_is_made_whatever_files_there_are() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE.read_text(), flags=re.MULTILINE)

    assert set(phony.split()) == set(help_texts())


@needs_haproxy
def test_setting_up_again_changes_nothing_and_says_one_line_at_most(checkout: Checkout) -> None:
    first = checkout.set_up()
    assert first.returncode == 0, first.stderr
    assert len(checkout.pip_calls()) == 2
    before = checkout.files()

    second = checkout.set_up()

    assert second.returncode == 0, second.stderr
    assert len((second.stdout + second.stderr).splitlines()) <= 1
    assert len(checkout.pip_calls()) == 2
    assert checkout.files() == before


@needs_haproxy
def test_a_changed_requirement_is_installed(checkout: Checkout) -> None:
    assert checkout.set_up().returncode == 0
    with (checkout.folder / "requirements.txt").open("a") as file:
        file.write("# changed\n")

    assert checkout.set_up().returncode == 0
    assert len(checkout.pip_calls()) == 4


def test_a_python_that_is_missing_is_one_clear_line(checkout: Checkout) -> None:
    before = checkout.files()

    done = checkout.set_up("python-that-is-missing")

    assert done.returncode == 2
    assert (done.stdout, done.stderr) == (
        "",
        "setup: python-that-is-missing is not installed; install Python 3.11 or newer\n",
    )
    assert checkout.files() == before


def test_a_python_that_is_too_old_is_one_clear_line(checkout: Checkout) -> None:
    checkout.use_python('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.4\nexit 1\n')
    before = checkout.files()

    done = checkout.set_up()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Python 3.10.4; Python 3.11 or newer is needed: make PYTHON=python3.12" in line
    assert done.stdout == ""
    assert checkout.files() == before
