"""The installer: which engine it picks, what it writes, and how it refuses."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.language_host.conftest import ROOT
from tools.engine.environment import EngineHome

INSTALLER = ROOT / "tools" / "engine" / "install.py"


def install(
    into: Path, *arguments: str, path: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs the installer with nothing on PATH but one folder."""
    return subprocess.run(
        [sys.executable, INSTALLER, "--python", sys.executable, "--into", into, *arguments],
        env={"HOME": os.environ["HOME"], "PATH": str(path), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def a_script(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def built_here(into: Path) -> bool:
    return (into / "engine" / "bin" / "pulumi-language-python").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The folder of a checkout whose path a shell could stumble over."""
    return tmp_path / "it's a $HOME" / ".bluegreen"


def test_neither_go_nor_pulumi_is_one_clear_line(checkout: Path, tmp_path: Path):
    done = install(checkout, path=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "pulumi" in line
    assert "https://go.dev/dl/" in line
    assert not checkout.exists()


def test_a_failing_build_shows_what_go_said(checkout: Path, tmp_path: Path):
    a_script(tmp_path / "bin" / "go", "echo no such module >&2; exit 1")

    done = install(checkout, path=tmp_path / "bin", XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert done.returncode == 1
    assert "3 minutes" in done.stderr
    assert "`go build` failed" in done.stderr
    assert done.stderr.endswith("no such module\n")
    left = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert left == ["lock"]


def test_a_build_is_used_by_the_next_checkout_without_go(checkout: Path, tmp_path: Path):
    sdk = tmp_path / "sdk"
    a_script(sdk / "python" / "cmd" / "pulumi-language-python-exec", "true")
    build = f'if [ "$1" = list ]; then echo "{sdk}"; else shift; echo built > "$2"; fi'
    a_script(tmp_path / "bin" / "go", build)
    cache = str(tmp_path / "cache")

    first = install(checkout, path=tmp_path / "bin", XDG_CACHE_HOME=cache)
    second = install(tmp_path / "other", path=tmp_path / "empty", XDG_CACHE_HOME=cache)

    assert first.returncode == 0, first.stderr
    assert second.returncode == 0, second.stderr
    assert second.stderr == ""
    for into in (checkout, tmp_path / "other"):
        assert (into / "engine" / "bin" / "pulumi").read_text() == "built\n"
        assert built_here(into)


@pytest.fixture
def cached(engine: EngineHome) -> EngineHome:
    """Skips where the engine is not in the per-user cache, which would mean a long build."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    if not Path(cache, "bluegreen", "engine-3.259.0", "pulumi").exists():
        pytest.skip("the built engine is not in the per-user cache")
    return engine


def test_a_pulumi_that_is_too_old_is_not_used(cached: EngineHome, checkout: Path, tmp_path: Path):
    a_script(tmp_path / "bin" / "pulumi", "echo v3.100.0")
    a_script(tmp_path / "bin" / "pulumi-language-python", "exit 1")

    done = install(checkout, path=tmp_path / "bin")

    assert done.returncode == 0, done.stderr
    assert built_here(checkout)


def test_a_pulumi_without_its_language_host_is_not_used(
    cached: EngineHome, checkout: Path, tmp_path: Path
):
    a_script(tmp_path / "bin" / "pulumi", "echo v3.259.0")

    done = install(checkout, path=tmp_path / "bin")

    assert done.returncode == 0, done.stderr
    assert built_here(checkout)


def test_an_official_pulumi_is_used_and_may_fetch_plugins(checkout: Path, tmp_path: Path):
    # As a package manager installs it: linked from PATH, the language host beside the original.
    official = a_script(tmp_path / "opt" / "pulumi", "echo v3.240.0")
    a_script(tmp_path / "opt" / "pulumi-language-python", "exit 1")
    linked = tmp_path / "bin" / "pulumi"
    linked.parent.mkdir()
    linked.symlink_to(official)

    done = install(checkout, "--print-env", path=linked.parent)

    assert done.returncode == 0, done.stderr
    assert (checkout / "engine" / "bin" / "pulumi").resolve() == official
    assert not built_here(checkout)
    environment = json.loads(done.stdout)
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in environment


def test_the_engine_of_a_checkout_is_not_taken_for_an_official_one(
    cached: EngineHome, checkout: Path, tmp_path: Path
):
    install(checkout, path=tmp_path)

    done = install(tmp_path / "other", path=checkout / "engine" / "bin")

    assert done.returncode == 0, done.stderr
    assert built_here(tmp_path / "other")


def test_the_environment_as_json_names_this_checkout_only(
    cached: EngineHome, checkout: Path, tmp_path: Path
):
    done = install(checkout, "--print-env", path=tmp_path, KEPT="kept")

    environment = json.loads(done.stdout)
    assert environment["PATH"].split(":") == [
        str(checkout / "engine" / "bin"),
        str(Path(sys.executable).parent),
        str(tmp_path),
    ]
    assert environment["PULUMI_BACKEND_URL"] == f"file://{checkout / 'state'}?metadata=skip"
    assert environment["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert environment["PULUMI_HOME"] == str(checkout / "pulumi-home")
    assert environment["KEPT"] == "kept"
    assert (checkout / "state").is_dir()


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh"])
def test_the_env_file_can_be_sourced_twice_in_any_shell(
    cached: EngineHome, checkout: Path, tmp_path: Path, shell: str
):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    expected = json.loads(install(checkout, "--print-env", path=Path("/usr/bin")).stdout)
    names = ["PATH", *(name for name in expected if name.startswith("PULUMI_"))]
    show = f"import json, os; print(json.dumps({{n: os.environ[n] for n in {names}}}))"

    done = subprocess.run(
        [shell, "-euc", '. "$0"; . "$0"; "$1" -c "$2"', checkout / "env", sys.executable, show],
        cwd=tmp_path,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert json.loads(done.stdout) == {name: expected[name] for name in names}


def test_the_engine_works_in_a_folder_with_an_awkward_name(
    cached: EngineHome, checkout: Path, tmp_path: Path
):
    environment = json.loads(install(checkout, "--print-env", path=Path("/usr/bin")).stdout)
    project = checkout.parent / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: sample\nruntime: python\n")
    (project / "__main__.py").write_text("import pulumi\npulumi.export('color', 'blue')\n")

    for command in ("stack init test", "up --yes --skip-preview", "stack output color"):
        done = subprocess.run(
            [checkout / "engine" / "bin" / "pulumi", *command.split(), "--non-interactive"],
            cwd=project,
            env={"HOME": os.environ["HOME"], **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in done.stdout + done.stderr

    assert done.stdout == "blue\n"
    assert list((checkout / "state").rglob("test.json"))


def test_a_second_installation_is_quick_and_changes_nothing(
    cached: EngineHome, checkout: Path, tmp_path: Path
):
    def files() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.lstat().st_ino, path.lstat().st_mtime_ns)
            for path in checkout.rglob("*")
            if not path.is_dir()
        }

    install(checkout, path=tmp_path)
    before = files()
    started = time.process_time()
    done = install(checkout, path=tmp_path)

    assert time.process_time() - started < 0.5
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert files() == before


def test_a_missing_interpreter_is_named(checkout: Path, tmp_path: Path):
    done = install(checkout, "--python", str(tmp_path / "none" / "bin" / "python"), path=tmp_path)

    assert done.returncode == 2
    assert f"no Python at {tmp_path / 'none' / 'bin' / 'python'}" in done.stderr
    assert not checkout.exists()
