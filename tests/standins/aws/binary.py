"""Where the Terraform provider for AWS is on this machine."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["VARIABLE", "provider_binary", "why_missing"]

VARIABLE = "BLUEGREEN_TERRAFORM_AWS_PROVIDER"
VERSION = "5.100.0"
# The layout of a filesystem mirror of Terraform, and of the folder it keeps plugins in.
IN_MIRROR = f"registry.terraform.io/hashicorp/aws/{VERSION}/linux_amd64"
NAME = f"terraform-provider-aws_v{VERSION}*"


@cache
def provider_binary() -> Path | None:
    """The binary that the environment names, or that lies in a plugin mirror; None if none."""
    if named := os.environ.get(VARIABLE):
        path = Path(named).expanduser()
        return path if path.is_file() else None
    found = (path for mirror in _mirrors() for path in sorted((mirror / IN_MIRROR).glob(NAME)))
    return next((path for path in found if os.access(path, os.X_OK)), None)


def why_missing() -> str | None:
    """Why nothing can be done with AWS here; None if it can."""
    if provider_binary() is not None:
        return None
    if named := os.environ.get(VARIABLE):
        return f"no Terraform provider for AWS: {VARIABLE} is {named}, which is no file"
    return (
        f"no Terraform provider for AWS {VERSION} in a plugin mirror of Terraform; "
        f"{VARIABLE} can name the binary"
    )


def _mirrors() -> Iterator[Path]:
    """The implied mirrors of Terraform, its cache, and what lies under /opt."""
    home = Path.home()
    yield home / ".terraform.d" / "plugins"
    yield home / ".terraform.d" / "plugin-cache"
    if cache_folder := os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache_folder)
    data = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for folder in (data, *shared.split(":")):
        yield Path(folder) / "terraform" / "plugins"
    yield Path("/opt")
    yield from sorted(Path("/opt").glob("*"))
