"""The engine that `make` put into this checkout, and projects for it."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.language_host.project import Project
from tools.engine.environment import EngineHome

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def engine() -> EngineHome:
    home = EngineHome(ROOT / ".bluegreen", Path(sys.executable))
    if not os.access(home.bin / "pulumi", os.X_OK):
        pytest.skip("no engine in .bluegreen/engine/bin; run `python tools/engine/install.py`")
    if not os.access(home.bin / "pulumi-language-python", os.X_OK):
        pytest.skip("the Pulumi installation on PATH is in use, not the language host of this one")
    return home


@pytest.fixture(scope="session")
def new_project(
    engine: EngineHome, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], Project]:
    """Makes projects with an empty stack; the stack is made once and copied."""
    environment = engine.environment(os.environ)
    template = Project(tmp_path_factory.mktemp("template"), environment)
    done = template.pulumi("stack", "init")
    assert done.returncode == 0, done.stderr

    def make(folder: Path) -> Project:
        project = Project(folder, environment)
        shutil.copytree(template.folder.parent / "state", folder / "state", dirs_exist_ok=True)
        shutil.copytree(template.folder, project.folder, dirs_exist_ok=True)
        return project

    return make


@pytest.fixture
def project(new_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    return new_project(tmp_path)
