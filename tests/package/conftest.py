"""The package as a user gets it: built once, offline, from this checkout."""

import subprocess
import sys
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_SECONDS = 120


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from that."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def sdist(built: Path) -> Path:
    (path,) = built.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def metadata(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """What the wheel says about itself."""
    folder = tmp_path_factory.mktemp("metadata")
    run(sys.executable, "-m", "zipfile", "-e", wheel, folder)
    (place,) = folder.glob("*.dist-info")
    return PathDistribution(place)


def needed_by(metadata: Distribution, extra: str = "") -> dict[str, Distribution]:
    """Every distribution that installing the package brings along."""
    found: dict[str, Distribution] = {}
    waiting = _requirements(metadata, {extra})
    while waiting:
        requirement = waiting.pop()
        needed = distribution(requirement.name)
        if needed.name not in found:
            found[needed.name] = needed
            waiting += _requirements(needed, requirement.extras)
    return found


def _requirements(of: Distribution, extras: set[str]) -> list[Requirement]:
    parsed = [Requirement(text) for text in of.requires or ()]
    return [
        each
        for each in parsed
        if each.marker is None or any(each.marker.evaluate({"extra": it}) for it in extras or {""})
    ]


class Environment:
    """A new virtual environment with the wheel, which sees exactly the given distributions."""

    def __init__(self, folder: Path, wheel: Path, needed: dict[str, Distribution]) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        self.python = folder / "venv" / "bin" / "python"
        (self.site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        self._folder = folder
        self._show(needed)
        install = ("install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel)
        run(sys.executable, "-m", "pip", "--python", self.python, *install)

    def _show(self, needed: dict[str, Distribution]) -> None:
        visible = self._folder / "dependencies"
        visible.mkdir()
        for each in needed.values():
            for top in {path.parts[0] for path in each.files or () if path.parts[0] != ".."}:
                link = visible / top
                if not link.exists():
                    link.symlink_to(str(each.locate_file(top)))
        (self.site_packages / "dependencies.pth").write_text(f"{visible}\n")

    def python_says(self, program: str) -> subprocess.CompletedProcess[str]:
        """Runs a program away from the checkout, with nothing of this process's environment."""
        return subprocess.run(
            [self.python, "-I", "-W", "error", "-c", program],
            cwd=self._folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self._folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )


@pytest.fixture(scope="session")
def with_onprem(
    wheel: Path, metadata: Distribution, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """After `pip install bluegreen-pulumi[onprem]`."""
    return Environment(tmp_path_factory.mktemp("onprem"), wheel, needed_by(metadata, "onprem"))


@pytest.fixture(scope="session")
def with_all(
    wheel: Path, metadata: Distribution, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """After `pip install bluegreen-pulumi[onprem,kubernetes,aws,cli]`."""
    extras = ("onprem", "kubernetes", "aws", "cli")
    needed = {name: each for extra in extras for name, each in needed_by(metadata, extra).items()}
    return Environment(tmp_path_factory.mktemp("all"), wheel, needed)


@pytest.fixture(scope="session")
def core(
    wheel: Path, metadata: Distribution, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """After `pip install bluegreen-pulumi`."""
    return Environment(tmp_path_factory.mktemp("core"), wheel, needed_by(metadata))
