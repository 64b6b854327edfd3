"""What is in the package, what it asks for, and that it works where it is installed."""

import tarfile
import tomllib
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.package.conftest import REPOSITORY, Environment

PLATFORMS = ("bluegreen.aws", "bluegreen.onprem", "bluegreen.kubernetes")
ALL_MODULES = """
import importlib, pkgutil, bluegreen
for module in pkgutil.walk_packages(bluegreen.__path__, "bluegreen."):
    if not module.name.endswith("__main__") and not module.name.startswith({without!r}):
        importlib.import_module(module.name)
print(bluegreen.__file__)
"""


def sources() -> set[str]:
    """Every file of the package in the checkout."""
    return {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "bluegreen").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def in_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in in_wheel(wheel) if ".dist-info/" not in name}

    assert inside == sources()


@pytest.mark.parametrize(
    "name",
    [
        "bluegreen/py.typed",
        "bluegreen/page/page.css",
        "bluegreen/operations/history_page/history.css",
        "bluegreen/onprem/haproxy.cfg.j2",
        "bluegreen/onprem/haproxy_routing.cfg.j2",
        "bluegreen/onprem/haproxy_snippet.cfg.j2",
    ],
)
def test_what_is_no_module_is_packed_too(wheel: Path, sdist: Path, name: str) -> None:
    assert name in in_wheel(wheel)
    assert name in in_sdist(sdist)


def test_the_source_distribution_has_the_package_its_pages_and_no_tools(sdist: Path) -> None:
    inside = in_sdist(sdist)

    assert sources() <= inside
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"} <= inside
    folders = {name.partition("/")[0] for name in inside if "/" in name}
    assert folders == {"bluegreen", "docs"}


def test_the_package_says_what_it_is_called_and_what_it_needs(metadata: Distribution) -> None:
    assert metadata.name == "bluegreen-pulumi"
    assert metadata.metadata["Requires-Python"] == ">=3.11"
    extras = ["aws", "cli", "gates", "kubernetes", "onprem"]
    assert metadata.metadata.get_all("Provides-Extra") == extras
    assert metadata.metadata["License-Expression"] == "Apache-2.0"


def test_the_package_needs_a_pulumi_whose_failed_after_hook_fails_the_update(
    metadata: Distribution,
) -> None:
    needed = {each.name: each for each in map(Requirement, metadata.requires or ())}

    assert needed["pulumi"].specifier == SpecifierSet(">=3.238,<4")
    assert needed["pulumi"].marker is None


def test_the_package_needs_what_the_project_says_and_no_tool_for_tests(
    metadata: Distribution,
) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    # Pairs: two extras may need the same package.
    needed = {
        (Requirement(text).name, str(Requirement(text).marker)) for text in metadata.requires or ()
    }

    wanted = {(Requirement(text).name, "None") for text in project["dependencies"]}
    for extra, texts in extras.items():
        wanted |= {(Requirement(text).name, f'extra == "{extra}"') for text in texts}
    assert needed == wanted


def test_what_is_installed_works_away_from_the_checkout(with_onprem: Environment) -> None:
    done = with_onprem.python_says(
        "import bluegreen.onprem, bluegreen.settings, bluegreen.load; print(bluegreen.__file__)"
    )

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(with_onprem.site_packages)


def test_every_module_needs_only_what_the_package_asks_for(with_all: Environment) -> None:
    done = with_all.python_says(ALL_MODULES.format(without=()))

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(with_all.site_packages)


def test_the_proxy_config_is_written_from_the_installed_templates(
    with_onprem: Environment,
) -> None:
    done = with_onprem.python_says(
        "from pathlib import Path\n"
        "from bluegreen.colors import Color\n"
        "from bluegreen.onprem.haproxy_config import HaproxyConfig\n"
        "print(HaproxyConfig(service='shop', production_port=1, test_port=2,\n"
        "    member_ports={Color.BLUE: (3,), Color.GREEN: (4,)},\n"
        "    socket_path=Path('/run/s'), map_path=Path('/run/m')).render())\n"
    )

    assert done.returncode == 0, done.stderr
    assert "backend shop-green" in done.stdout


def test_the_core_works_without_the_extra(core: Environment) -> None:
    done = core.python_says(ALL_MODULES.format(without=(*PLATFORMS, "bluegreen.cli")))

    assert done.returncode == 0, done.stderr


def test_the_command_says_what_is_missing_without_its_extra(core: Environment) -> None:
    done = core.python_says("import bluegreen.cli.__main__")

    assert done.returncode == 2
    assert done.stderr == (
        "bluegreen: typer is not installed; pip install 'bluegreen-pulumi[cli]'\n"
    )


@pytest.mark.parametrize(
    ("platform", "missing"),
    [
        ("onprem", "jinja2 and supervisor; install both"),
        (
            "kubernetes",
            "pulumi-kubernetes and kubernetes and prometheus-client; install them",
        ),
        ("aws", "pulumi-aws and boto3; install them"),
    ],
)
def test_a_platform_without_its_extra_says_what_is_missing(
    core: Environment, platform: str, missing: str
) -> None:
    done = core.python_says(f"import bluegreen.{platform}")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: bluegreen.{platform} needs {missing} with "
        f"`pip install 'bluegreen-pulumi[{platform}]'`"
    )
