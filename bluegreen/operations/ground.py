"""What has to be on this machine: engine, packages, plugins, programs."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from bluegreen.operations.engine_process import run_engine
from bluegreen.operations.health import Check, Level
from bluegreen.settings.service import Platform

__all__ = ["engine_checks", "platform_checks"]

_OLDEST = (3, 238)
"""The first engine that commits the true state when an after hook fails."""

_PACKAGES = {
    Platform.ONPREM: ("supervisor", "jinja2"),
    Platform.KUBERNETES: ("pulumi_kubernetes", "kubernetes"),
    Platform.AWS: ("pulumi_aws", "boto3"),
}
_PLUGINS = {Platform.KUBERNETES: "kubernetes", Platform.AWS: "aws"}
_HAPROXY_PLACES = "/usr/sbin:/usr/local/sbin"


def engine_checks() -> Iterator[Check]:
    """The command line and the SDK, both new enough."""
    said = _pulumi("version")
    if said is None:
        yield Check(
            *("engine", Level.MISSING, "the program `pulumi` is not on PATH"),
            fix="install the Pulumi command line, 3.238 or newer",
        )
    else:
        yield _judged("engine", "pulumi", said, "install a newer Pulumi command line")
    try:
        yield _judged("SDK", "the package pulumi", version("pulumi"), "pip install -U pulumi")
    except PackageNotFoundError:
        yield Check("SDK", Level.MISSING, "no package pulumi here", fix="pip install pulumi")


def platform_checks(platform: Platform) -> Iterator[Check]:
    """The platform's packages, plugin and program."""
    missing = [name for name in _PACKAGES[platform] if find_spec(name) is None]
    if missing:
        yield Check(
            *("packages", Level.MISSING, f"no {', '.join(missing)} in {sys.prefix}"),
            fix=f"pip install 'bluegreen-pulumi[{platform}]'",
        )
    else:
        yield Check("packages", Level.FINE, f"those of {platform} are in {sys.prefix}")
    if platform is Platform.ONPREM:
        yield _haproxy()
    else:
        yield _plugin(_PLUGINS[platform])


def _judged(name: str, what: str, said: str, fix: str) -> Check:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if found is None:
        return Check(name, Level.WARNING, f"{what} does not say its version: {said.strip()}")
    if (int(found[1]), int(found[2])) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return Check(name, Level.MISSING, f"{what} is {found[0]}, older than {oldest}", fix=fix)
    return Check(name, Level.FINE, f"{what} {found[0]}")


def _haproxy() -> Check:
    path = shutil.which("haproxy") or shutil.which("haproxy", path=_HAPROXY_PLACES)
    if path is None:
        return Check(
            *("haproxy", Level.MISSING, "the program haproxy is not on PATH"),
            fix="apt-get install haproxy",
        )
    return Check("haproxy", Level.FINE, path)


def _plugin(name: str) -> Check:
    """On PATH, or among those that the engine has; else the engine fetches it, if it may."""
    if (path := shutil.which(f"pulumi-resource-{name}")) is not None:
        return Check("plugin", Level.FINE, path)
    try:
        installed = json.loads(_pulumi("plugin", "ls", "--json") or "[]")
    except ValueError:
        installed = []
    versions = [each.get("version") for each in installed if each.get("name") == name]
    if versions:
        return Check("plugin", Level.FINE, f"{name} {', '.join(map(str, versions))}")
    return Check(
        *("plugin", Level.WARNING, f"the plugin {name} is not there yet; the engine fetches it"),
        fix=f"pulumi plugin install resource {name} {_version_of(f'pulumi_{name}')}".strip(),
    )


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _pulumi(*words: str) -> str | None:
    """What it prints; None when it is not there."""
    try:
        done = run_engine(
            ["pulumi", *words], cwd=".", environment={"PULUMI_SKIP_UPDATE_CHECK": "true"}
        )
    except FileNotFoundError:
        return None
    return done.stdout
