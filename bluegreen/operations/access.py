"""Who a stack's provider works as, and where: what is written about it on this machine. Pure."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bluegreen.operations.health import Check, Level
from bluegreen.settings.service import Platform

__all__ = ["access_check"]

_POD_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def access_check(
    platform: Platform,
    config: Mapping[str, Any],
    environment: Mapping[str, str],
    is_file: Callable[[Path], bool] = Path.is_file,
) -> Check | None:
    """What the default provider goes by; None on-premises, which needs nobody's permission.

    Whether it is enough is not said: that is asked in a preview.

    Args:
        platform: Where the service runs.
        config: The stack's whole config, by full keys.
        environment: Of the command.
        is_file: Whether a file is there.
    """
    if platform is Platform.KUBERNETES:
        return _kubeconfig(config, environment, is_file)
    if platform is Platform.AWS:
        return _aws(config, environment, is_file)
    return None


def _kubeconfig(
    config: Mapping[str, Any], environment: Mapping[str, str], is_file: Callable[[Path], bool]
) -> Check:
    context = config.get("kubernetes:context")
    in_context = f", context {context}" if context else ""
    if config.get("kubernetes:kubeconfig"):
        return Check("access", Level.FINE, f"by kubernetes:kubeconfig{in_context}")
    named = [each for each in environment.get("KUBECONFIG", "").split(os.pathsep) if each]
    found = [each for each in named if is_file(Path(each))]
    if found:
        return Check("access", Level.FINE, f"by KUBECONFIG, {', '.join(found)}{in_context}")
    usual = _home(environment) / ".kube" / "config"
    if not named and is_file(usual):
        return Check("access", Level.FINE, f"by {usual}{in_context}")
    if not named and is_file(_POD_ACCOUNT):
        return Check("access", Level.FINE, "by the service account of this pod")
    what = f"no file of KUBECONFIG is there: {', '.join(named)}" if named else f"no {usual}"
    return Check(
        *("access", Level.MISSING, f"there is no kubeconfig: {what}"),
        fix="export KUBECONFIG=PATH, or `pulumi config set kubernetes:kubeconfig PATH`",
    )


def _aws(
    config: Mapping[str, Any], environment: Mapping[str, str], is_file: Callable[[Path], bool]
) -> Check:
    files = _aws_files(environment, is_file)
    region = config.get("aws:region") or _first(environment, _REGIONS)
    has_profile = bool(files and (config.get("aws:profile") or environment.get("AWS_PROFILE")))
    if not region and not files:
        return Check(
            *("access", Level.MISSING, "there is no region"),
            fix="`pulumi config set aws:region REGION`, or export AWS_REGION=REGION",
        )
    where = str(region or f"the region of the {'' if has_profile else 'default '}profile")
    if config.get("aws:accessKey"):
        return Check("access", Level.FINE, f"{where}, by aws:accessKey")
    if profile := config.get("aws:profile"):
        return Check("access", Level.FINE, f"{where}, by aws:profile {profile}")
    if variable := next((name for name in _CREDENTIALS if environment.get(name)), None):
        return Check("access", Level.FINE, f"{where}, by {variable}")
    if files:
        return Check("access", Level.FINE, f"{where}, by {', '.join(map(str, files))}")
    return Check(
        *("access", Level.WARNING, f"{where}, and no credentials but a role of this instance"),
        fix="export AWS_PROFILE=PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )


def _aws_files(environment: Mapping[str, str], is_file: Callable[[Path], bool]) -> list[Path]:
    folder = _home(environment) / ".aws"
    usual = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
    places = [Path(environment.get(name) or folder / file) for name, file in usual.items()]
    return [each for each in places if is_file(each)]


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or "~").expanduser()


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
