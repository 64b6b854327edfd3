"""What one member is: its image, its start, and how both are told from another's. Pure."""

import base64

from bluegreen.content_hash import content_hash, slow_hash
from bluegreen.errors import ConfigError
from bluegreen.plan import FleetPlan
from bluegreen.settings.service import ServiceSettings

__all__ = ["encoded", "fingerprint_of", "image_of", "user_data_of"]

_LONGEST_USER_DATA = 16 * 1024
"""Bytes before they are encoded (EC2)."""

_SHELL = "#!/bin/sh"


def image_of(plan: FleetPlan, settings: ServiceSettings) -> str:
    """The AMI of a color's members."""
    return plan.settings.image or settings.aws.image_id or ""


def user_data_of(plan: FleetPlan, settings: ServiceSettings) -> str:
    """The script that a member starts with: the color's variables, then the user's own text.

    Raises:
        ConfigError: It is longer than EC2 takes.
    """
    shell, own = _parted(settings.aws.user_data)
    lines = [f"export {name}={_quoted(value)}" for name, value in _variables(plan, settings)]
    text = "\n".join([shell, *lines, own])
    size = len(text.encode())
    if size > _LONGEST_USER_DATA:
        msg = (
            f"service.aws.user_data: with the variables of {plan.color} it has {size} bytes, and a "
            f"launch template takes {_LONGEST_USER_DATA}; nothing was changed; keep the script in "
            "the image or in a bucket, and start it from here"
        )
        raise ConfigError([msg])
    return text if text.endswith("\n") else f"{text}\n"


def encoded(user_data: str) -> str:
    """As a launch template holds it."""
    return base64.b64encode(user_data.encode()).decode()


def fingerprint_of(plan: FleetPlan, settings: ServiceSettings) -> str:
    """Changes with everything that makes members other members."""
    aws = settings.aws
    what = {
        "image": image_of(plan, settings),
        "release": plan.release,
        "type": aws.instance_type,
        "user_data": aws.user_data,
        "port": aws.target_port,
        "groups": list(aws.instance_security_group_ids),
        "profile": aws.instance_profile,
        "public": aws.public_addresses,
    }
    # Environments often carry passwords, and everybody may read tags.
    variables = slow_hash(
        aws.env | plan.settings.env, salt=f"{settings.name}/{plan.color}/{plan.release}"
    )
    return content_hash(what | {"env": variables})


def _variables(plan: FleetPlan, settings: ServiceSettings) -> list[tuple[str, str]]:
    own = {
        "BLUEGREEN_SERVICE": settings.name,
        "BLUEGREEN_COLOR": str(plan.color),
        "BLUEGREEN_RELEASE": plan.release,
        "PORT": str(settings.aws.target_port),
    }
    return list((own | settings.aws.env | plan.settings.env).items())


def _parted(text: str) -> tuple[str, str]:
    """The line that names the shell, and the rest."""
    if not text.startswith("#!"):
        return _SHELL, text
    shell, _, rest = text.partition("\n")
    return shell, rest


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"
