"""What `make test` runs a second time, and what it does not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import REPOSITORY

FIRST_TIME_ONLY = """
def is_first(name):
    path = pathlib.Path(name)
    return not path.exists() and path.write_text("x") > 0
"""
BODIES = {
    "fine": "assert True",
    "slow": "assert not is_first('slow')",
    "wrong": "assert False, 'as always'",
    "loss": "traffic = types.SimpleNamespace(failed=is_first('loss')); assert traffic.failed == 0",
}
PARTS = pytest.mark.parametrize("mark", ["", "@pytest.mark.beside\n"], ids=["alone", "beside"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with a test that passes in each of the two parts, and no others."""
    for name in ("tools/test.sh", "tests/run_again.py"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(REPOSITORY / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    soak\n    beside\n")
    write(tmp_path, "first", "fine")
    write(tmp_path, "second", "fine", "@pytest.mark.beside\n")
    return tmp_path


def write(project: Path, name: str, body: str, mark: str = "") -> None:
    (project / "tests" / f"test_{name}.py").write_text(
        f"import pathlib, types\nimport pytest\n{FIRST_TIME_ONLY}\n"
        f"{mark}def test_{name}():\n    {BODIES[body]}\n"
    )


def run_tests(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "tools/test.sh"], cwd=project, capture_output=True, text=True, check=False
    )


def test_without_a_failure_nothing_is_run_again(project: Path):
    result = run_tests(project)

    assert result.returncode == 0, result.stdout
    assert "once more" not in result.stdout
    assert "1 passed" in result.stdout.splitlines()[-1]


@PARTS
def test_what_passes_by_itself_is_shown_and_holds_nothing_up(project: Path, mark: str):
    write(project, "held_up", "slow", mark)

    result = run_tests(project)

    assert result.returncode == 0, result.stdout
    assert "assert not is_first('slow')" in result.stdout
    assert "== once more, by themselves\ntests/test_held_up.py::test_held_up\n" in result.stdout
    assert "1 passed" in result.stdout.splitlines()[-1]


@PARTS
def test_what_fails_by_itself_too_is_a_failure(project: Path, mark: str):
    write(project, "bad", "wrong", mark)

    result = run_tests(project)

    assert result.returncode == 1
    assert "== once more" in result.stdout
    assert "1 failed" in result.stdout.splitlines()[-1]


@PARTS
def test_a_lost_request_is_a_failure_at_once(project: Path, mark: str):
    write(project, "loss", "loss", mark)

    result = run_tests(project)

    assert result.returncode == 1
    assert "once more" not in result.stdout
    assert "assert traffic.failed == 0" in result.stdout


def test_many_failures_are_failures_at_once(project: Path):
    for number in range(4):
        write(project, f"bad_{number}", "wrong")

    result = run_tests(project)

    assert result.returncode == 1
    assert "once more" not in result.stdout
    assert "4 failed" in result.stdout.splitlines()[-1]
